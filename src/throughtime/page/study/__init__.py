"""The study page: one layer, forward and backward through time, with the recorded numbers."""
