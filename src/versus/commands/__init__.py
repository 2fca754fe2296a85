"""Commands of ``versus``, one file each: `arguments(parser)` declares options, `run(options)` runs it."""
