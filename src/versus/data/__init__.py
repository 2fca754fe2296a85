"""From any source to one prepared data set: the loaders, the schema, the checks and the splits."""
