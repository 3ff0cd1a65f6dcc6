"""Items on their way through a job: chunks, stages, steps, and how outcomes are committed."""
