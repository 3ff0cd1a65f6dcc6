"""Networks in PyTorch, a module an architecture: `network(path, **options)` gives one with the file's weights."""

NETWORKS: dict[str, str] = {
    "owlv2": "model_handlers.networks.owlv2:network",
    "yolo_world": "model_handlers.networks.yolo_world:network",
}
