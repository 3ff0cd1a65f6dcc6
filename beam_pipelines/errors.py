"""What a user is told when a run cannot be made or goes wrong."""


class ConfigError(ValueError):
    """The command line or the configuration cannot be used; the message says what, where, and how to mend it."""


class RunFailed(RuntimeError):
    """The run cannot go on; everything committed stays, and the message says what is wrong."""


class PipelineFailed(RuntimeError):
    """A pipeline ended with an error; what was committed stays."""


class Submitted(Exception):
    """The job of this name was handed to its runner and goes on without this process, as was asked."""


class WorkerLost(PipelineFailed):
    """A pipeline ended because one of its worker processes did; the same work may well succeed again."""
