#!/bin/sh
# Builds the kernels with sanitizers and runs all of them, without Python:
#   tests/kernels/sanitize.sh [address,undefined] [thread]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for sanitizers in "${@:-address,undefined thread}"; do
    for one in $sanitizers; do
        folder="$here/../../build/sanitized/$one"
        cmake -S "$here/sanitized" -B "$folder" -DTHROUGHTIME_SANITIZE="$one" >/dev/null
        cmake --build "$folder" --parallel 2 >/dev/null
        echo "== $one"
        "$folder/driver"
    done
done
