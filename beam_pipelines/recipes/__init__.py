"""The recipes, a module each, and what all of them have."""

_NAMES = (
    "webbody", "face_generation", "face_clips", "object_tracks", "person_clustering", "anonymize", "anonymize_images",
)  # fmt: skip
RECIPES = {name: f"{__name__}.{name}:RECIPE" for name in _NAMES}
