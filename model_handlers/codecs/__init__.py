"""Codecs: what each model family expects and what its numbers mean, a module each with a function `codec`."""

CODECS = {
    name: f"{__name__}.{name}:codec"
    for name in (
        "brisque",
        "centerface",
        "clip_image",
        "dlib_resnet",
        "emotion",
        "facemesh",
        "image_quality",
        "movenet",
        "nanodet",
        "transnetv2",
        "yolo_pose",
    )
}
