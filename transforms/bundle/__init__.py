"""Bundles for training frameworks: one sink a module behind one small interface."""
