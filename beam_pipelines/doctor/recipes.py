"""Whether each recipe can run on this machine's CPU, and which of its models are in the cache."""

from collections.abc import Iterable, Iterator

from beam_pipelines.doctor.finding import Finding, size
from beam_pipelines.doctor.packages import install, missing
from model_handlers.models import store
from model_handlers.models.catalogue import Entry

_OF_IMAGES = ("webbody", "anonymize_images")


def look_at_recipes(names: Iterable[str]) -> Iterator[Finding]:
    """Each recipe with its shipped configuration: what it lacks, and its models."""
    for name in names:
        extras = ("cpu",) if name in _OF_IMAGES else ("cpu", "video")
        lacking = [f"{package} ({extra})" for extra in extras for package in missing(extra)]
        if lacking:
            yield Finding(name, "lacks", f"without {', '.join(lacking)}", install(*extras))
            continue
        try:
            models = _models(name)
        except Exception as error:  # whatever keeps the recipe from being imported keeps it from running
            yield Finding(name, "lacks", f"{type(error).__name__}: {' '.join(str(error).split())}", install(*extras))
            continue
        yield _finding(name, models)


def _models(name: str) -> list[Entry]:
    """The models of a recipe's shipped configuration, each once."""
    from beam_pipelines import config as configuration  # Beam takes seconds, and may be what is missing

    recipe, settings = configuration.load(name)
    return list({entry.name: entry for entry in recipe.models(settings).values()}.values())


def _finding(name: str, models: list[Entry]) -> Finding:
    cached = {entry.name: store.place(entry) for entry in models}
    there = {model: path for model, path in cached.items() if path.is_file()}
    told = f"{len(there)} of {len(models)} models cached, {size(sum(path.stat().st_size for path in there.values()))}"
    absent = [model for model in cached if model not in there]
    fetch = f"manyfaces models fetch {' '.join(absent)}" if absent else ""
    return Finding(name, "yes", told + (f"; fetched when it runs: {', '.join(absent)}" if absent else ""), fetch)
