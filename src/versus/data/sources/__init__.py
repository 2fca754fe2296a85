"""Readers, one per format; each returns the columns or images that `versus.data.encoding` encodes."""
