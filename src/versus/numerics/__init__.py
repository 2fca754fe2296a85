"""Kernels: one algorithm each, with the formula and its source; no models."""
