"""Models of P(x, y) with closed forms, EM or exact inference."""
