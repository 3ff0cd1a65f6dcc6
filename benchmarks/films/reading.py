"""What the stages up to embeddings and clothes see in films: run once, so that faces can be grouped many times."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from benchmarks.films.scores import Faces, truth
from transforms.persons.appearances import I64, Appearances
from transforms.persons.read import read_videos, videos_with_faces

BEFORE_PERSONS = 'jobs=[["download","frames","detections","faces","clothes"],["embeddings"]]'
SECONDS = 0.5  # between two frames that are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A film: its file, who plays in it, and whose faces are where in each of its frames."""

    name: str
    file: Path
    names: tuple[str, ...]
    played: Sequence[Faces]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen in a film: its faces (N), whose they are (N,), and how many frames were looked at."""

    name: str
    found: Appearances
    played: I64
    looked_at: int


def see(films: Sequence[Film], output: Path, overrides: Sequence[str] = ()) -> list[Seen]:
    """Serve the films, run the stages in a new folder, read what they found."""
    pages = {f"/{film.name}/{film.file.name}": Page(200, {}, film.file.read_bytes()) for film in films}
    output.mkdir(parents=True)
    defaults = output / "defaults.yaml"
    defaults.write_text("recipe: person_clustering\n")
    with serve(pages) as port:
        manifest = output / "list.csv"
        rows = [f"{film.name},http://127.0.0.1:{port}{path}" for film, path in zip(films, pages, strict=True)]
        manifest.write_text("\n".join(["video_id,url", *rows]) + "\n")
        own = [f"fetch.allow_hosts=['127.0.0.1:{port}']", "fetch.accept.min_height=0", BEFORE_PERSONS]
        asked = [*own, f"sampling.seconds={SECONDS}", *overrides]
        recipe, settings = configuration.load(str(defaults), asked)
        run(Order(recipe, settings, str(manifest), str(output / "run")))
    by_name = {film.name: film for film in films}
    seen = []
    for group in videos_with_faces(str(output / "run"), with_clothes=True):
        for video in read_videos(str(output / "run"), group):
            film = by_name[video.video_id]
            played = truth(video.found, film.names, film.played)
            seen.append(Seen(film.name, video.found, played, len(video.moments.number)))
    return sorted(seen, key=lambda one: one.name)
