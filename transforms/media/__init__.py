"""Images, and videos: what they are, how they are decoded, which frames are looked at, how clips are written."""
