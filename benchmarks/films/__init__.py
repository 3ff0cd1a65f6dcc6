"""Films composed of photographs of real people, and how well their persons are told apart."""
