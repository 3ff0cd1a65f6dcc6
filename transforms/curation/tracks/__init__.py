"""Subsets of tracks: at random, balanced, with little redundancy, with much motion."""
