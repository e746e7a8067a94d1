"""One sequence through a cell: time loop, autograd, choice of kernel."""

from throughtime.ops.eager import run_lstm, run_simple_rnn
from throughtime.ops.lstm import lstm
from throughtime.ops.simple_rnn import simple_rnn

__all__ = ["lstm", "run_lstm", "run_simple_rnn", "simple_rnn"]
