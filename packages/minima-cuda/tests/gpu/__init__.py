"""What runs on an NVIDIA GPU alone: ``pytest -m gpu``. Elsewhere all of it is skipped."""
