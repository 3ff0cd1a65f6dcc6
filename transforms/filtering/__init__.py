"""Which shots are worth looking at: filters that measure a few of their frames."""
