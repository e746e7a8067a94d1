"""The error for a name that is not there."""

from __future__ import annotations


class MissingNameError(KeyError):
    """A name that is not in a recording. A KeyError whose message reads as it was written."""

    def __str__(self) -> str:
        return str(self.args[0])
