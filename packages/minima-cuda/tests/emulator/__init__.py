"""Runs kernel files on the processor, for tests: see backend.py. It is never a device."""

from .backend import EmulatorLauncher, KernelFault, needs_emulator

__all__ = ["EmulatorLauncher", "KernelFault", "needs_emulator"]
