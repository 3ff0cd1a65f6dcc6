"""Tracks as files that the tools of trackers read: one format a module behind one small interface."""
