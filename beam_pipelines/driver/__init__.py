"""A run from start to end: what is left, its jobs one after another, the record of it."""
