"""Training: back-propagation through time, clipping, the fit loop, checkpoints, diagnosis."""
