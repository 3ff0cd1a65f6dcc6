"""What a user runs: the command line, the configuration, one module per recipe, the job planner."""

__version__ = "0.1.0"
