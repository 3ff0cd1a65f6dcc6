"""The recipes, a module each, and what all of them have."""

NAMES = ("webbody", "face_generation", "face_clips", "anonymize", "anonymize_images")
RECIPES = {name: f"{__name__}.{name}:RECIPE" for name in NAMES}
