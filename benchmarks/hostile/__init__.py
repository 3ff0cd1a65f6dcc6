"""A campaign of mutated images, videos and lists through the real command; see __main__.py."""
