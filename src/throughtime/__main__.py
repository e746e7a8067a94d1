"""`python -m throughtime`."""

from throughtime.cli import main

main()
