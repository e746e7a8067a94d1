"""Recurrent layers as torch.nn.Modules."""
