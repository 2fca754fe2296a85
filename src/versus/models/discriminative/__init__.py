"""Models of P(y|x): they separate classes and do not model x."""
