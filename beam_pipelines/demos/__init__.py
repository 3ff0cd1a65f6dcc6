"""Recipes on real photographs, and videos of them, served by this machine."""
