"""Recurrent layers as torch.nn.Modules."""

from throughtime.cells import Variant
from throughtime.nn.convert import from_torch, to_torch
from throughtime.nn.lstm import LSTM
from throughtime.nn.networks import Networks, stack
from throughtime.nn.rnn import RNN

__all__ = ["LSTM", "RNN", "Networks", "Variant", "from_torch", "stack", "to_torch"]
