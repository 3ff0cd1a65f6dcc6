"""Networks in PyTorch, a module an architecture: `network(path, **options)` gives one with the file's weights.

The options are the entry's `network_options`; a network of the task objects gets the names of its classes as well, as
`vocabulary`.
"""

NETWORKS: dict[str, str] = {
    "owlv2": "model_handlers.networks.owlv2:network",
    "yolo_world": "model_handlers.networks.yolo_world:network",
}
