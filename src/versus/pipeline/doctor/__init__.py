"""Faults that keep a workspace from working, the remedy for each, and the repair where it is safe.

Each module covers one topic: its functions yield findings and change nothing.
"""
