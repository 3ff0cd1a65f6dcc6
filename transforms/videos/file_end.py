"""Whether a video file is all there: told by what its index promises and the file lacks.

A length field alone is not believed: writers that stream never fill it in, others put something behind the last box.
Where one does not fit the file, the parts themselves are looked at.
"""

import os

from transforms.videos.avi_end import missing_of_avi
from transforms.videos.matroska_end import missing_of_matroska
from transforms.videos.mov_end import missing_of_mov

_TOLD_BY = {"mov": missing_of_mov, "matroska": missing_of_matroska, "avi": missing_of_avi}


def missing_bytes(path: str, container: str) -> int:
    """How many bytes the file lacks, at least; 0 if none, or if its container (FFmpeg's name) does not say."""
    told = _TOLD_BY.get(container)
    return told(path, os.path.getsize(path)) if told else 0
