"""Networks in PyTorch, a module an architecture: `network(path, **options)` gives one with the file's weights."""

NETWORKS = {
    name: f"{__name__}.{name}:network"
    for name in (
        "aesthetics",
        "clip_image",
        "clipiqa_plus",
        "hyperiqa",
        "iresnet",
        "mobilenetv2",
        "resnet18_clothing",
        "vit_kprpe",
    )
}
