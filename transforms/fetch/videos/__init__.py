"""Videos by yt-dlp, each in a child process, into the run's media folder."""
