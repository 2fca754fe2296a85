"""A package that brings models, data and a metric to Versus: `plugins: [mine]` in params.yaml names it."""
