"""Models of P(x, y) that are neural networks."""
