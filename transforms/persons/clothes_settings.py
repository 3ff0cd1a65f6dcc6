"""Settings of the stage clothes."""

from pydantic import Field

from transforms.settings import How, InferenceSettings, Settings


class ClothesSettings(Settings):
    """Stage clothes: what is worn under each face."""

    model: str | None = Field(
        "mobilenetv2-appearance",
        description="catalogue name of the model that describes clothes, one of appearance; null: a histogram of their "
        "colours",
    )
    min_visible: float = Field(
        0.25, gt=0, le=1, description="least share of the height of the clothes that is in the frame"
    )
    inference: How[InferenceSettings] = InferenceSettings()
