"""A handler for each framework that runs models."""
