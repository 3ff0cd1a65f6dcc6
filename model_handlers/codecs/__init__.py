"""What each model family expects and what its numbers mean: pure functions over arrays."""
