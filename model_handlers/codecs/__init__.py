"""Codecs: what each model family expects and what its numbers mean, a module each with a function `codec`."""

CODECS = {
    name: f"{__name__}.{name}:codec"
    for name in (
        "appearance",
        "arcface",
        "brisque",
        "cartoon",
        "centerface",
        "clip_image",
        "dlib_resnet",
        "ediffiqa",
        "emotion",
        "facemesh",
        "image_quality",
        "lpd_yunet",
        "movenet",
        "mtcnn",
        "nanodet",
        "regions",
        "retinaface",
        "scrfd",
        "sface",
        "transnetv2",
        "vit_kprpe",
        "yolo_pose",
        "yolox",
        "yunet",
    )
}
