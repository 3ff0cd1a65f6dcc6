"""Geometry and measurements on people and faces, and the stages that run the models."""
