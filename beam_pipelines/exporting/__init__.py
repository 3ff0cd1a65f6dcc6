"""Copies of a run's pictures in the formats that other programs read."""
