"""Pages of HTML about a run: the skeleton that they share, and the sections of `manyfaces report`."""
