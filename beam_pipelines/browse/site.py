"""What all pages of a run share."""

from dataclasses import dataclass
from threading import Lock

from beam_pipelines.browse.marks import Marks
from beam_pipelines.browse.people import People, read_people
from beam_pipelines.browse.refused import not_there
from beam_pipelines.browse.stored import Shard, Stored


@dataclass(frozen=True, slots=True)
class Marking:
    """How marks are made and applied: the command that applies them, or why this run takes none."""

    command: str = ""
    why_not: str = ""


class Site:
    """A run's tables, its people as they are now, and the file of marks."""

    def __init__(self, stored: Stored, marks: Marks, marking: Marking) -> None:
        self.stored, self.marks, self.marking = stored, marks, marking
        self._lock = Lock()
        self._people: tuple[tuple[tuple[Shard, ...], ...], People] | None = None

    def people(self) -> People | None:
        """The people of the run; None if it has no identities. Read anew when the tables have changed."""
        if not self.stored.has("identities"):
            return None
        tables = [table for table in ("identities", "faces") if self.stored.has(table)]
        made_from = tuple(self.stored.index(table).shards for table in tables)
        with self._lock:
            if self._people is None or self._people[0] != made_from:
                self._people = made_from, read_people(self.stored)
            return self._people[1]

    def some_people(self) -> People:
        """The people of the run; Refused if it has none."""
        people = self.people()
        if people is None:
            raise not_there("the run has no identities; the first page lists the tables that it has.")
        return people
