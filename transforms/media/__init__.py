"""Images: sniffing, decoding, resizing, encoding."""
