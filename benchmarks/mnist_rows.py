"""Handwritten digits as JSON lines of 28 steps with 28 values each, for `fit classify`.

    python benchmarks/mnist_rows.py $THROUGHTIME_DATA/mnist digits [--train 6000] [--test 1000]
    throughtime fit classify digits/train.jsonl --test digits/test.jsonl

The first --train digits of MNIST's training part and the first --test of its test part are written; values
are the grey levels, 0 to 255. The image is read from top to bottom, a row at a step.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sequential_mnist import read_idx

PARTS = {"train": "train", "test": "t10k"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mnist", type=Path, help="folder of the IDX files")
    parser.add_argument("folder", type=Path, help="what is written into; must not exist")
    parser.add_argument("--train", type=int, default=6_000)
    parser.add_argument("--test", type=int, default=1_000)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True)
    for part, stem in PARTS.items():
        count = getattr(arguments, part)
        images = read_idx(arguments.mnist / f"{stem}-images-idx3-ubyte.gz")[:count].view(-1, 28, 28)
        labels = read_idx(arguments.mnist / f"{stem}-labels-idx1-ubyte.gz")[:count]
        path = arguments.folder / f"{part}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for image, label in zip(images.tolist(), labels.tolist(), strict=True):
                file.write(json.dumps({"label": str(label), "values": image}) + "\n")
        print(f"{path}: {len(labels):,} digits")


if __name__ == "__main__":
    main()
