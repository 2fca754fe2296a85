"""What `versus add` finds out about files that nobody has described."""
