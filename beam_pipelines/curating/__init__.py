"""What `manyfaces curate` does before and after its pipeline: find the tracks, have a folder, tell what has changed."""
