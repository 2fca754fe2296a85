"""Preparation of data sets from any source: loaders, schema, checks and splits."""
