"""What can go wrong outside our own code, by name.

Each message says who complains, what was expected, what came, and what to do.
The command line turns every `ThroughtimeError` into that message and exit code 2.
A wrong argument to a class or function of the library is a plain `ValueError` or `TypeError`.
"""

from __future__ import annotations


class ThroughtimeError(Exception):
    """Root of the errors that a user's input, files or machine can cause."""


class DataError(ThroughtimeError, ValueError):
    """A table or file cannot be used as it is; names file, line, column or time step."""


class ModelFolderError(ThroughtimeError):
    """A model folder is missing a file, or a file in it is damaged, edited or from a later version."""


class SettingsError(ThroughtimeError, ValueError):
    """Settings that contradict each other or the data."""


class NonFiniteError(ThroughtimeError, ArithmeticError):
    """A loss, error or gradient stopped being finite during training."""


class OutputError(ThroughtimeError, OSError):
    """A file or folder could not be written: no permission, no space left."""


class RecordingError(ThroughtimeError):
    """A recording would grow too large, or its file is missing, damaged or from a later version."""


class MachineError(ThroughtimeError, RuntimeError):
    """This machine or this installation lacks what was asked for: kernels, an instruction set."""
