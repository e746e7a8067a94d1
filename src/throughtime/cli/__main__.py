"""`python -m throughtime.cli`."""

from throughtime.cli import main

main()
