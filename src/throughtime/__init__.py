"""throughtime: recurrent neural networks you can see through."""

from throughtime._version import __version__

__all__ = ["__version__"]
