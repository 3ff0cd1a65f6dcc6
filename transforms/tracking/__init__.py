"""Objects in videos: found in the frames of a shot, followed through it, cut out as clips."""
