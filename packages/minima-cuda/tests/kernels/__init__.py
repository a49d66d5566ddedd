"""The kernels against the reference kernels, on the emulator."""
