"""What a user is told when a model cannot be had."""


class ModelError(Exception):
    """A model is unknown, unfit or not to be had; the message says what, where and how to mend it."""
