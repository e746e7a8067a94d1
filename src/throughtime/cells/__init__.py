"""The equations, one time step at a time, in plain PyTorch."""
