"""Versus: generative versus discriminative models, measured."""

__version__ = "0.1.0"
