"""Experiments: questions that take other fits than the compared ones, such as how many rows each model needs."""
