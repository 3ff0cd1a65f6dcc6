"""Pictures of odd sizes and kinds, decoded as the project decodes them: all of them RGB uint8 (H,W,3)."""

import io

import cv2
import numpy as np
import skimage.data
from PIL import Image

from transforms.images.pixels import open_image


def pictures() -> dict[str, np.ndarray]:
    """By kind: colour of an odd size, wide, grey, of 16 bits a channel, and CMYK."""
    astronaut, coffee = skimage.data.astronaut(), skimage.data.coffee()
    deep = coffee[:201, :333].astype(np.uint16) * 257
    files = {
        "odd": _encoded(Image.fromarray(astronaut[:311, 40:303]), "PNG"),
        "wide": _encoded(Image.fromarray(coffee[100:231]), "PNG"),
        "grey": _encoded(Image.fromarray(skimage.data.camera()[60:290, 101:400]), "PNG"),
        "deep": cv2.imencode(".png", deep[..., ::-1])[1].tobytes(),
        "cmyk": _encoded(Image.fromarray(skimage.data.chelsea()[:277]).convert("CMYK"), "JPEG"),
    }
    return {kind: open_image(data) for kind, data in files.items()}


def _encoded(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()
