"""One file a command of ``python -m versus``: `arguments(parser)` declares its options, `run(options)` does it."""
