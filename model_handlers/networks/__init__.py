"""Networks in PyTorch, a module an architecture: `network(path, **options)` gives one with the file's weights."""

NETWORKS: dict[str, str] = {name: f"{__name__}.{name}:network" for name in ("yolo",)}
