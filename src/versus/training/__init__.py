"""The loop that deep models share: devices, precision, exact resume, checkpoints, progress."""
