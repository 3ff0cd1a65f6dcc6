"""Model files: where they come from, out of which archives, converted once, kept in a cache."""
