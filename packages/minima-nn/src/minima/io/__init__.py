"""Files: state in safetensors or npz, written atomically, with a checksum, never pickled."""

from minima.io.checkpoint import load, save

__all__ = ["load", "save"]
