"""One reader for each format; each reads a source into the columns or images that `versus.data.encoding` encodes."""
