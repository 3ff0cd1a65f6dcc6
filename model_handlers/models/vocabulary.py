"""Vocabularies: the names of the classes that a detector of objects tells apart."""

import configs
from model_handlers.weights.uris import read_text

# The 80 classes of COCO's detection task in its own order (T.-Y. Lin et al., Microsoft COCO, ECCV 2014).
COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip


# The 1,203 classes of LVIS 1.0 by rising id (A. Gupta et al., LVIS, CVPR 2019), the first name of each, or the second
# where two classes share the first.
_LVIS = configs.FOLDER / "vocabularies" / "lvis.txt"


def read_vocabulary(name: str) -> tuple[str, ...]:
    """The vocabulary `coco` or `lvis`, or that of a file, local or remote, with a phrase a line.

    OSError, UnicodeDecodeError or ModelError for a file that cannot be read; ValueError as `check_vocabulary` says.
    """
    if name == "coco":
        return COCO
    return check_vocabulary(phrases(read_text(str(_LVIS) if name == "lvis" else name)))


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a vocabulary's file, one a line; empty lines are left out."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def check_vocabulary(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names themselves; ValueError where there are none, or one is empty or stands there twice."""
    if not names or not all(name.strip() for name in names):
        raise ValueError("a vocabulary has at least one phrase, and no empty ones")
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise ValueError(f"{twice!r} stands twice in the vocabulary")
    return names
