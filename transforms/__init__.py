"""PTransforms and the pure functions they call, a folder per concern."""
