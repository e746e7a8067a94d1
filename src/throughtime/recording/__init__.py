"""What happened inside a network: how far errors reach, and what lets them."""
