"""Settings of the stages that write whole videos and images without the faces and plates in them."""

from pydantic import Field

from transforms.settings import Settings
from transforms.videos.clip_writer import EncodeSettings


class AnonymizedVideoSettings(Settings):
    """Stage anonymized of videos: each of them, or each of its listed spans, as a file with everything covered."""

    encode: EncodeSettings = Field(EncodeSettings(), description="how the MP4 files are made")
    audio: bool = Field(True, description="the sound stays; voices are not changed")
    report: bool = Field(True, description="write a CSV file beside each video: what was covered, a line a cover")


class AnonymizedImageSettings(Settings):
    """Stage anonymized of images: each as a JPEG file with everything covered, and without metadata."""

    quality: int = Field(95, ge=1, le=100, description="of JPEG")
