"""The recipes, a module each, and what all of them have."""

_NAMES = ("webbody", "face_generation", "face_clips", "object_tracks", "anonymize", "anonymize_images")
RECIPES = {name: f"{__name__}.{name}:RECIPE" for name in _NAMES}
