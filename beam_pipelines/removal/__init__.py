"""Taking items out of a run on request: what is asked for, what goes with it, and how it goes."""
