"""One table of what minima and PyTorch are held to have in common; see `parity.table`."""
