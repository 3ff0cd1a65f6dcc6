"""The models of a stage, each by the role that it has there: `face` finds faces, `embedding` tells people apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from model_handlers.errors import ModelError
from model_handlers.interface import Codec
from model_handlers.models.catalogue import Catalogue, Entry
from model_handlers.models.codecs import codec
from model_handlers.models.handlers import Placement, handler, numbers_from, precision_of
from model_handlers.models.vocabulary import read_vocabulary

if TYPE_CHECKING:
    from model_handlers.frameworks.handler import NetworkHandler

# The tasks that the model of a role may have, where it is not the one task that is called like the role.
_TASKS = {
    "person": {"person", "pose"}, "emotion": {"expression"}, "clip_image": {"semantics"},
    "brisque": {"quality"}, "hyperiqa": {"quality"}, "clipiqa": {"quality"},
    "aesthetics": {"quality"}, "clothing": {"appearance"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Models:
    """The models that a stage uses, by role, and where they run; there may be none."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    placement: Placement = Placement()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __contains__(self, role: str) -> bool:
        return role in self.entries

    def __getitem__(self, role: str) -> Entry:
        return self.entries[role]

    def speaking(self, role: str, vocabulary: str | None) -> "Models":
        """The same models, that of the role with another vocabulary: coco, lvis or a file; None leaves it its own.

        ModelError for a vocabulary that cannot be read.
        """
        if vocabulary is None:
            return self
        try:
            words = read_vocabulary(vocabulary)
        except (OSError, ValueError) as error:
            raise ModelError(f"the vocabulary {vocabulary!r} for the role {role} cannot be read: {error}.") from error
        entry = self.entries[role].model_copy(update={"vocabulary": words})
        return replace(self, entries={**self.entries, role: entry})

    def codec(self, role: str) -> Codec:
        """What reads and writes the numbers of the role's model."""
        return codec(self.entries[role])

    def handler(self, role: str, *, batch_size: int | None = None, threads: int = 1) -> "NetworkHandler":
        """What runs the role's model in RunInference; see `model_handlers.models.handlers.handler`."""
        return handler(self.entries[role], self.placement, batch_size=batch_size, threads=threads)

    def describe(self) -> dict[str, Any]:
        """The device, and for each role all that its model's numbers depend on, as plain data."""
        kind = self.placement.device.partition(":")[0]  # which GPU of a machine it is makes no difference
        return {"device": kind, **{role: self._describe(entry) for role, entry in self.entries.items()}}

    def _describe(self, entry: Entry) -> dict[str, Any]:
        precision = precision_of(entry, self.placement)
        return numbers_from(entry) | ({} if precision == "fp32" else {"precision": precision})


@dataclass(frozen=True, slots=True)
class KnownModels:
    """The models that a run may use: those of a catalogue, and where they run."""

    catalogue: Catalogue
    placement: Placement = Placement()

    def of(self, sides: Mapping[str, int | None] | None = None, **names: str | None) -> Models:
        """The models of these names by role; a role whose name is None has none.

        `sides` are those of the input that the configuration gives to a role, pixels, in place of the catalogue's.
        ModelError for a name that the catalogue has not, or one whose task does not suit the role.
        """
        entries = {role: self._entry(role, name) for role, name in names.items() if name is not None}
        for role, side in (sides or {}).items():
            if side is not None and role in entries:
                entries[role] = entries[role].model_copy(update={"options": entries[role].options | {"side": side}})
        return Models(entries, self.placement)

    def _entry(self, role: str, name: str) -> Entry:
        entry = self.catalogue.get(name)
        tasks = _TASKS.get(role, {role})
        if entry.task not in tasks:
            raise ModelError(
                f"model {entry.name!r} is named for the role {role}, which needs a model of the task "
                f"{' or '.join(sorted(tasks))}; its task is {entry.task}"
            )
        return entry
