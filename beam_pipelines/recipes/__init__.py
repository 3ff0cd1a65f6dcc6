"""The recipes, a module each, and what all of them have."""

RECIPES = {name: f"{__name__}.{name}:RECIPE" for name in ("webbody", "face_generation", "face_clips", "object_tracks")}
