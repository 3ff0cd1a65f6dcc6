"""The labelled faces of a run: who each is, which cluster it was in before cleaning, and which identity it has now."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.evaluation.items import AMBIGUOUS, HAS_FACE, NO_FACE, NOT_IN_RUN, NamedFaces, faces_of
from transforms.evaluation.labels import Labels
from transforms.tables.item_ids import videos_of
from transforms.tables.lookup import rows_of
from transforms.tables.shards import iter_tables, shard_names

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the labels: rows and items that were left out, each for its own reason, and what was counted.

    covered_before, covered_after: of the counted items, those that have a face in a cluster, and in an identity.
    """

    rows: int
    unreadable_rows: int
    rows_without_item: int
    items: int
    without_identity: int
    several_identities: int
    not_in_run: int
    ambiguous: int
    without_face: int
    with_face: int
    contradicted_faces: int
    covered_before: int
    covered_after: int

    @property
    def in_run(self) -> int:
        """Labelled items that the run knows, with or without a face: what coverage is a share of."""
        return self.without_face + self.with_face


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """The faces (F,) that labels say something about.

    person (F,): places in `people` (P,), sorted; cluster (F,) and identity (F,): equal for faces that were put
    together, -1 for those that were not; identity is the run's own number.
    """

    face_id: pa.Array
    person: I64
    people: pa.Array
    cluster: I64
    identity: I64
    counts: Counts


def labelled_faces(run: str, labels: Labels) -> LabelledFaces:
    """The faces that the labels mean; one that two items give different identities is left out.

    Where persons are told apart in each video by itself (the table `persons`), a person is one of a video too.
    FileNotFoundError without the table `identities`.
    """
    named = faces_of(run, labels.names)
    code = named.face_id.dictionary_encode()
    face = code.indices.to_numpy().astype(np.int64)
    cluster, identity = outcome(run, code.dictionary)
    counts, first = _counts(labels, named, face, cluster, identity)
    rows = named.name[first]
    own = pa.array(face[first])
    face_id = code.dictionary.take(own)
    people = labels.identities.take(pa.array(labels.identity[rows]))
    if shard_names(run, "persons"):
        people = pc.binary_join_element_wise(people, videos_of(face_id), pa.scalar(" in ", pa.large_string()))
    person = people.dictionary_encode()
    by_name = pc.sort_indices(person.dictionary)
    return LabelledFaces(
        face_id,
        np.argsort(by_name.to_numpy())[person.indices.to_numpy()],
        person.dictionary.take(by_name),
        cluster[face[first]],
        identity[face[first]],
        counts,
    )


def _counts(labels: Labels, named: NamedFaces, face: I64, cluster: I64, identity: I64) -> tuple[Counts, I64]:
    """What became of the labels, and the rows of `named` that count: one for each face that is of one person."""
    people = max(len(labels.identities), 1)
    said, first = np.unique(face * people + labels.identity[named.name], return_index=True)
    one = np.bincount(said // people, minlength=len(cluster))[said // people] == 1
    contradicted = len(np.unique(said[~one] // people))
    covered = [_different(named.name[groups[face] >= 0], len(labels.names)) for groups in (cluster, identity)]
    state = np.bincount(named.state, minlength=4)
    counts = Counts(
        labels.rows,
        labels.unreadable_rows,
        labels.rows_without_item,
        labels.items,
        labels.without_identity,
        labels.several_identities,
        int(state[NOT_IN_RUN]),
        int(state[AMBIGUOUS]),
        int(state[NO_FACE]),
        int(state[HAS_FACE]),
        contradicted,
        covered[0],
        covered[1],
    )
    return counts, first[one]


def _different(places: I64, length: int) -> int:
    """How many of the places of something of this length are named."""
    named = np.zeros(length, bool)
    named[places] = True
    return int(named.sum())


def outcome(run: str, face_ids: pa.Array) -> tuple[I64, I64]:
    """The cluster, as a number, and the identity of faces (F,), all different; -1 for none.

    FileNotFoundError without the table `identities`.
    """
    if not shard_names(run, "identities"):
        raise FileNotFoundError(f"the run {run} has no table identities")
    identity = np.full(len(face_ids), -1, np.int64)
    cluster = np.full(len(face_ids), -1, np.int64)
    places, names = [np.zeros(0, np.int64)], [pa.array([], pa.large_string())]
    for place, rows in rows_of(face_ids, iter_tables(run, "identities", ["face_id", "cluster", "identity"]), "face_id"):
        identity[place] = rows["identity"].fill_null(-1).to_numpy()
        places.append(place)
        names += rows["cluster"].cast(pa.large_string()).chunks
    codes = pa.concat_arrays(names).dictionary_encode().indices.fill_null(-1)
    cluster[np.concatenate(places)] = codes.to_numpy()
    return cluster, identity
