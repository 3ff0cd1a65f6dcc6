"""Image files of strangers: what they are, their pixels as a viewer sees them, resized and encoded."""
