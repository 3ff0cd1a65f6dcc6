"""Settings of stored images: what is accepted, what size and format they get."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from transforms.settings import Settings

Format = Literal["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"]
FORMATS: tuple[Format, ...] = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif")
Interpolation = Literal["nearest", "linear", "cubic", "area", "lanczos"]
Mode = Literal["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"]


class AcceptSettings(Settings):
    """Which images are let in; all of it is decided from the header, before a pixel is decoded."""

    formats: tuple[Format, ...] = Field(
        FORMATS, min_length=1, description="formats that are decoded; others are refused"
    )
    max_pixels: int = Field(
        80_000_000,
        ge=1,
        le=170_000_000,
        description="width times height, pixels; more is `too_many_pixels`, and `too_large_result` after resizing",
    )
    min_side: int = Field(0, ge=0, description="the shorter side's least length, pixels; less is `too_small_image`")
    max_aspect: float = Field(
        0, ge=0, description="longer side over shorter side, at most; 0: no limit; more is `bad_aspect`"
    )


class StoreSettings(Settings):
    """How accepted images are resized and encoded."""

    mode: Mode = Field(
        "keep_ratio_largest",
        description="no: as they are; keep_ratio: the shorter side becomes `size`; keep_ratio_largest: the longer side "
        "does; border: that, padded to a white square; center_crop: the shorter side does, and the rest is cut off",
    )
    size: int = Field(640, ge=16, le=8192, description="length of the side that `mode` speaks of, pixels")
    only_if_bigger: bool = Field(
        True, description="leave images alone whose side (the one that would become `size`) is not longer than `size`"
    )
    shrink: Literal["auto"] | Interpolation = Field(
        "auto",
        description="interpolation where images get smaller; auto: area from a factor of 2 on, and "
        "below it bilinear (after a slight blur from 1.6 on), several times faster and about as good there",
    )
    enlarge: Interpolation = Field("cubic", description="interpolation where images get larger")
    format: Literal["jpeg", "webp", "png"] = Field("jpeg", description="file format of the stored images")
    quality: int = Field(85, ge=1, le=100, description="of JPEG and WebP")
    reencode: Literal["when_needed", "always"] = Field(
        "when_needed",
        description="when_needed: a file that is upright, sRGB, 8 bits, opaque, and of the right size and format is "
        "stored byte for byte",
    )
    verify: bool = Field(
        True, description="decode the files that are stored byte for byte, so that broken ones are found"
    )
    scaled_decode: bool = Field(
        True, description="decode JPEGs at 1/2, 1/4 or 1/8 (in the DCT, several times faster), never below the target"
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _no_is_a_word(cls, value: object) -> object:
        return "no" if value is False else value  # YAML reads a bare `no` as false

    @model_validator(mode="after")
    def _area_only_shrinks(self) -> "StoreSettings":
        if self.enlarge == "area":
            raise ValueError("store.enlarge: area interpolation only shrinks; choose linear, cubic or lanczos.")
        return self
