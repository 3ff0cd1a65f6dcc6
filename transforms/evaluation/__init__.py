"""Measuring a run by what its user knows: identities of items, and pairs that are the same person or not."""
