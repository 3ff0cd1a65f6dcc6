"""`manyfaces doctor`: what this machine has for manyfaces, and what it lacks."""
