"""The models by name: entries, their files, codecs and handlers, and which a stage uses."""
