"""Networks in PyTorch, a module an architecture: `network(path, **options)` gives one with the file's weights.

The options are the entry's `network_options`; a network of the task objects gets the names of its classes as well, as
`vocabulary`.
"""

NETWORKS = {
    name: f"{__name__}.{name}:network"
    for name in (
        "aesthetics",
        "clip_image",
        "clipiqa_plus",
        "hyperiqa",
        "iresnet",
        "mtcnn",
        "owlv2",
        "resnet18_cartoon",
        "resnet18_clothing",
        "retinaface",
        "vit_kprpe",
        "yolo",
        "yolo_world",
    )
}
