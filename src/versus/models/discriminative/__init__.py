"""Models of P(y|x): they draw the line between classes and know nothing of what x looks like."""
