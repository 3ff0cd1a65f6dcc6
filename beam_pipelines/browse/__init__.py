"""A run's tables as pages of a server on this machine, and marks of mistakes among its identities."""
