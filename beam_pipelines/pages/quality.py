"""How good what was found is: a histogram of every measure that the run's tables hold, with the configured limits."""

from dataclasses import dataclass, field

from beam_pipelines.pages.charts import bins, chart, histogram, told
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import F64, Source


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of a table, what it is in words, and the keys of the configuration that limit it."""

    table: str
    column: str
    words: str
    limits: tuple[str, ...] = field(default_factory=tuple)


MEASURES = (
    Measure("faces", "score", "Faces: detection score", ("faces.min_score", "identity.cleaning.min_face_score")),
    Measure("embeddings", "face_px", "Faces: shorter side of the box, pixels", ("faces.min_face_px",)),
    Measure("faces", "sharpness", "Faces: sharpness, variance of the Laplacian", ("faces.min_sharpness",)),
    Measure("faces", "yaw", "Faces: turned sideways, degrees", ("faces.max_yaw",)),
    Measure("faces", "pitch", "Faces: turned up or down, degrees", ("faces.max_pitch",)),
    Measure("faces", "frontality", "Faces: frontality", ("faces.min_frontality",)),
    Measure("faces", "composite", "Faces: composite quality"),
    Measure("embeddings", "norm", "Vectors: length before rounding"),
    Measure("detections", "score", "Detected faces: score", ("detections.min_score",)),
    Measure("bodies", "score", "Bodies: detection score", ("bodies.min_score",)),
    Measure("images", "width", "Images: width, pixels"),
    Measure("images", "height", "Images: height, pixels"),
    Measure("images", "original_bytes", "Images: size of the file, bytes"),
    Measure("clips", "face_score", "Clips: mean face score"),
    Measure("clips", "sharpness", "Clips: sharpness, variance of the Laplacian"),
    Measure("clips", "face_consistency", "Clips: face consistency, less is better"),
    Measure("clips", "brisque", "Clips: BRISQUE, less is better"),
    Measure("clips", "clip_score", "Clips: CLIP score, less is better"),
    Measure("clips", "hyperiqa", "Clips: HyperIQA, more is better"),
    Measure("clips", "clipiqa", "Clips: CLIP-IQA+, more is better"),
    Measure("tracks", "class_score", "Tracks: score of the class"),
    Measure("anonymized", "covered_share", "Anonymized: share of pixels that are covered"),
    Measure("videos", "seconds", "Videos: length, seconds"),
    Measure("videos", "height", "Videos: height, pixels"),
    Measure("shots", "length", "Shots: length, seconds", ("shots.min_seconds", "shots.max_seconds")),
)


def section(source: Source) -> Section | None:
    """A histogram for each measure that there is; None if there is none."""
    drawn = [made for measure in MEASURES if (made := _drawn(source, measure)) is not None]
    if not drawn:
        return None
    note = "Dashed lines are the limits of the configuration: what was beyond them is not in these tables."
    return Section(
        "quality", "Quality", join([element("p", note, class_="note"), element("div", *drawn, class_="charts")])
    )


def _drawn(source: Source, measure: Measure) -> Html | None:
    values = _values(source, measure)
    if values is None or not len(values):
        return None
    found = bins(values)
    limits = [float(one) for key in measure.limits if _is_limit(one := source.setting(key))]
    ends = limits + [-one for one in limits if measure.column in ("yaw", "pitch")]
    outside = [f"; {n:,} {where}" for n, where in ((found.below, "below"), (found.above, "above")) if n]
    said = [f"limit {', '.join(f'{one:g}' for one in limits)}"] if limits else []
    words = f"{told(values)}{''.join(outside)}"
    return chart(measure.words, histogram(measure.words, found, ends), words, *said)


def _is_limit(value: object) -> bool:
    """Whether a setting is a limit at all: 0 lets all through, and so do 180 degrees."""
    return isinstance(value, int | float) and value not in (0, 180)


def _values(source: Source, measure: Measure) -> F64 | None:
    """The numbers of a measure; None if the run has no such column."""
    if measure.column == "length":
        if not source.has(measure.table, "start", "end"):
            return None
        return source.numbers(measure.table, "end") - source.numbers(measure.table, "start")
    return source.numbers(measure.table, measure.column) if source.has(measure.table, measure.column) else None
