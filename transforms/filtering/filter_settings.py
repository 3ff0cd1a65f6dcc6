"""Settings of the stage filters: which filters there are, and what their scores must keep to."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from transforms.filtering.shot_filter import load_filter
from transforms.settings import How, InferenceSettings, Settings


class DarkSettings(Settings):
    """Shots that are too dark: the luma that nine tenths of a frame do not exceed, median of the frames."""

    least: float | None = Field(
        None, ge=0, le=255, description="luma, 0 to 255; shots below it are dropped (30 is dusk); null: no such filter"
    )


class BlurredSettings(Settings):
    """Shots that are too blurred: variance of the Laplacian at a height of 240 pixels in the sharpest tenth of the
    frame, as if a tenth of the frame were white; median of the frames.
    """

    least: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="luma squared; shots below it are dropped (40: nothing in focus); null: no such filter",
    )


class StaticSettings(Settings):
    """Shots in which nothing moves: how much the hundredth of the frame that changes most does over the samples."""

    least: float | None = Field(
        None,
        ge=0,
        le=255,
        description="levels of luma between the tenth and the ninetieth percentile over time, in thumbnails of 64 x 36 "
        "pixels; shots below it are dropped (7: a still photograph); null: no such filter",
    )


class LetterboxSettings(Settings):
    """Shots with black bars above and below or at both sides, in all samples; bars of another colour are not found."""

    most: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of the frame that the bars take; shots above it are dropped (0.1: 2.39:1 in 16:9 has 0.26); "
        "null: no such filter",
    )


class TextOverlaySettings(Settings):
    """Shots with lettering or a logo that stands still over a moving picture, such as captions and watermarks. Over a
    picture that stands still itself none is found.
    """

    most: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of the frame in 10 x 10 blocks of 320 x 180 pixels with strokes that stand still; shots "
        "above it are dropped (0.02: a line of text); null: no such filter",
    )


class FlatColourSettings(Settings):
    """Shots drawn in flat colours, and slides: the share of the frame in large areas of one colour, median of the
    frames. Drawings with shading are not found: those a model for cartoons finds.
    """

    most: float | None = Field(
        None, ge=0, le=1, description="share of the frame; shots above it are dropped (0.5); null: no such filter"
    )


class BrisqueSettings(Settings):
    """Shots of low technical quality, by BRISQUE: mean of the frames, about 0 to 100, lower is better."""

    most: float | None = Field(
        None, ge=-1000, le=1000, description="shots above this score are dropped; null: no such filter"
    )
    model: str = Field("brisque", description="catalogue name of a model of the task quality whose better is lower")


class CartoonSettings(Settings):
    """Cartoons, by a network: its logit for a cartoon, mean of the frames."""

    most: float | None = Field(
        None,
        ge=-1000,
        le=1000,
        description="shots above this logit are dropped (0, as TrackVerse does); null: no such filter",
    )
    model: str = Field("cartoon-resnet18", description="catalogue name of a model of the task cartoon")


class AestheticsSettings(Settings):
    """Shots that are not pleasing, by a network: its score, mean of the frames, about 1 to 10, higher is better."""

    least: float | None = Field(
        None,
        ge=-1000,
        le=1000,
        description="shots below this score are dropped (4.0, as TrackVerse does); null: no such filter",
    )
    model: str = Field(
        "aesthetics-vit-l14", description="catalogue name of a model of the task quality whose better is higher"
    )


def _is_there(name: str) -> str:
    load_filter(name)
    return name


class OwnFilterSettings(Settings):
    """A filter of one's own, with one limit or both."""

    filter: Annotated[str, AfterValidator(_is_there)] = Field(
        description="`module:attribute`, a ShotFilter of transforms.filtering.shot_filter"
    )
    least: float | None = Field(
        None, allow_inf_nan=False, description="shots whose score is below it are dropped; null: no such limit"
    )
    most: float | None = Field(
        None, allow_inf_nan=False, description="shots whose score is above it are dropped; null: no such limit"
    )

    @model_validator(mode="after")
    def _has_a_limit(self) -> "OwnFilterSettings":
        if self.least is None and self.most is None:
            raise ValueError(f"filter {self.filter!r} has no limit: give least, most or both.")
        return self


class FilterSettings(Settings):
    """Stage filters: what shots must be like to be looked at; a filter without a limit is off.

    Each filter gives a shot one score. A limit may be met exactly. A score that is no finite number keeps no limit.
    """

    frames_per_second: float = Field(3, gt=0, le=60, description="frames of a shot that filters look at, a second")
    seconds: float = Field(10, gt=0, le=60, description="of each shot, from its start on, are looked at")
    max_failed_share: float = Field(
        0.1, ge=0, le=1, description="a shot fails when more than this share of these frames do"
    )
    dark: DarkSettings = DarkSettings()
    blurred: BlurredSettings = BlurredSettings()
    static: StaticSettings = StaticSettings()
    letterbox: LetterboxSettings = LetterboxSettings()
    text_overlay: TextOverlaySettings = TextOverlaySettings()
    flat_colours: FlatColourSettings = FlatColourSettings()
    own: tuple[OwnFilterSettings, ...] = Field((), description="filters of one's own, in order")
    brisque: BrisqueSettings = BrisqueSettings()
    cartoon: CartoonSettings = CartoonSettings()
    aesthetics: AestheticsSettings = AestheticsSettings()
    inference: How[InferenceSettings] = InferenceSettings()

    @model_validator(mode="after")
    def _own_filters_differ(self) -> "FilterSettings":
        names = [own.filter for own in self.own]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"filters.own has {twice!r} twice: give it both limits at once.")
        return self
