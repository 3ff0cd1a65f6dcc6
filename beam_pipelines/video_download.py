"""The stage that all recipes for videos begin with."""

from beam_pipelines.recipe import made_from
from beam_pipelines.stages import RowStage
from transforms.fetch.video_settings import VideoDownloadSettings
from transforms.fetch.videos import DownloadVideos
from transforms.tables.schemas import arrow_schema
from transforms.tables.video_schemas import Video, VideoSource


def download_stage(run: str, settings: VideoDownloadSettings) -> RowStage:
    """`manifest` -> `videos`, the files in the run's folder `media`."""
    return RowStage(
        name="download",
        reads="manifest",
        row_in=VideoSource,
        writes="videos",
        schema=arrow_schema(Video),
        transform=DownloadVideos(run, settings),
        made_from=made_from({"fetch": settings}),
        whole_chunks=True,
        files=("media",),
    )
