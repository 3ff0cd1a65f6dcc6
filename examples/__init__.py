"""Programs that use manyfaces from outside, and parts of one's own for its recipes; docs/extending.md explains them."""
