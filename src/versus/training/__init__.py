"""Training loop of deep models: devices, precision, exact resume, checkpoints, progress."""
