"""Frameworks, codecs and the model store; nothing here knows the pipelines."""
