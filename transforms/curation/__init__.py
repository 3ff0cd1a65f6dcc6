"""What is taken of all that was found: limits on candidates, the best images of a person, sequences of one shot."""
