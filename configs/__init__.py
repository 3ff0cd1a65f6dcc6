"""The configurations that come with manyfaces, as files beside this module."""

from pathlib import Path

FOLDER = Path(__file__).parent
