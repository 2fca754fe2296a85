"""The numerics that the densities share; no model stands here."""
