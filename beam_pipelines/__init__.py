"""What a user runs: the command line, the configuration, one module per recipe, the job planner."""
