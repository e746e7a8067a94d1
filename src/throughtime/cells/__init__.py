"""The equations, one time step at a time, in plain PyTorch."""

from throughtime.cells.dense import DenseNetwork
from throughtime.cells.lstm import LSTMCell
from throughtime.cells.protocol import Cell, StepErrors, Values
from throughtime.cells.simple_rnn import SimpleRNNCell
from throughtime.cells.variants import Variant

__all__ = ["Cell", "DenseNetwork", "LSTMCell", "SimpleRNNCell", "StepErrors", "Values", "Variant"]
