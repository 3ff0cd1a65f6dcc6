"""Settings of the stage tracks: how objects are followed, and which tracks are kept."""

from pydantic import Field

from transforms.settings import Settings
from transforms.tracking.tracker_settings import TrackerSettings


class TrackSettings(Settings):
    """Stage tracks: the objects of a shot, followed from frame to frame."""

    tracker: TrackerSettings = TrackerSettings()
    min_seconds: float = Field(3.0, ge=0, le=86_400, description="seconds from the first to the last frame of a track")
    min_area: float = Field(
        0.1, ge=0, le=1, description="mean area of the object's box, share of the frame's; smaller ones are left out"
    )
