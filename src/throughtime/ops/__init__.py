"""One sequence through a cell: time loop, autograd, choice of kernel."""
