"""What the identity stage and the splits can be told.

Thresholds belong to the embedding model: its entry of the catalogue has them (`similarities`). A configuration may give
others, or have them found in the run's own vectors; `thresholds` makes numbers of all before anything is clustered.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from transforms.identity.evidence_settings import EvidenceSettings, PoorFaceSettings, SecondLookSettings
from transforms.identity.similarity import Cosine, Similarity
from transforms.settings import How, Settings

Share = Annotated[float, Field(ge=0, le=1)]
SplitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$")]  # it becomes the name of a file


class EdgeSettings(Settings):
    """Which pairs of faces become edges."""

    k: int = Field(
        64, ge=0, le=1024, description="edges from each face to its k nearest; 0: to all above min_similarity"
    )
    min_similarity: Similarity = Field(
        None,
        description="cosine similarity that an edge has at least; null: as clusters.link_similarity is found, and with "
        "k 0 as high as that",
    )
    within_label: bool = Field(
        False, description="edges only between faces of the same source label; false: between all"
    )
    search: Literal["exact", "approximate", "auto"] = Field(
        "auto",
        description="exact: each face is compared with all; approximate: with the faces of the cells nearest to it; "
        "auto: exact up to 200,000 faces",
    )
    block: How[int] = Field(4096, ge=1, le=1 << 20, description="faces searched for at a time, by one worker")


class ClusterSettings(Settings):
    """How edges become clusters."""

    method: Literal["average", "connected", "dbscan", "whispers", "leiden"] = Field(
        "average",
        description="average: average linkage, which joins two groups while the mean similarity of their faces is "
        "enough; connected: components of the whole graph; dbscan: DBSCAN; whispers: Chinese whispers; leiden: groups "
        "of which more than half of all pairs are linked (pip install 'manyfaces[leiden]')",
    )
    link_similarity: Similarity = Field(
        None,
        description="cosine similarity that links two faces, and for average two groups; dbscan's eps is 1 - this. "
        "auto: found in the run's own vectors; null: the embedding model's own, from the catalogue",
    )
    wrong_links: float | None = Field(
        None,
        gt=0,
        description="of auto: different people's faces that each face may be linked with, on average; null: as many as "
        "cost fewer pairs than they win",
    )
    small_face_px: float = Field(
        0, ge=0, description="a face whose box's shorter side is below this, pixels, is small; 0: none is"
    )
    small_link_similarity: Cosine = Field(
        1,
        description="cosine similarity that links two faces of which one is small: a guard against mix-ups",
    )
    min_samples: int = Field(2, ge=1, description="dbscan: faces within eps, itself included, that make a core face")
    min_size: int = Field(2, ge=1, description="faces that a cluster has at least; smaller ones are noise")
    keep: Literal["largest", "all"] = Field("all", description="the clusters kept of each source label")
    poor: PoorFaceSettings = PoorFaceSettings()
    second_look: SecondLookSettings = SecondLookSettings()


class CleanSettings(Settings):
    """The cleaning rules, in their order; 1 as a similarity switches its rule off; null: as the link is found."""

    min_face_score: float = Field(0.4, ge=0, lt=1, description="a face's detection score must be above this, strictly")
    min_images: int = Field(2, ge=1, description="images that an identity has at least, applied after every rule")
    merge_similarity: Similarity = Field(
        None, description="identities merge while the cosine of their centres is above this"
    )
    max_component: int = Field(
        10_000, ge=2, description="more similar identities than this are merged along their pairs, not all with all"
    )
    ambiguous_similarity: Similarity = Field(
        None, description="after merging, the smaller of two identities with centres above this cosine is dropped"
    )
    leakage_similarity: Similarity = Field(
        None, description="identities with a centre above this cosine to a validation identity's are dropped"
    )
    duplicate_similarity: Similarity = Field(
        None, description="of two faces of an identity above this cosine the later one, by face id, is dropped"
    )
    validation_identities: str | None = Field(
        None, description="path of the validation identities: .npy of centres, or .parquet with identity and vector"
    )


class IdentitySettings(Settings):
    """The identity stage: search, cluster, clean."""

    edges: EdgeSettings = EdgeSettings()
    clusters: ClusterSettings = ClusterSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    cleaning: CleanSettings = CleanSettings()
    overrides: str | None = Field(
        None,
        description="path of a CSV with the columns rule, face_a, face_b and identity: what a user says of faces "
        "(must_link, cannot_link, drop)",
    )

    @model_validator(mode="after")
    def _edges_suffice(self) -> "IdentitySettings":
        link, least = self.clusters.link_similarity, self.edges.min_similarity
        if isinstance(link, float) and isinstance(least, float) and link < least:
            raise ValueError(
                f"clusters.link_similarity {link:g} is below edges.min_similarity {least:g}, so links would be "
                "missing; lower edges.min_similarity to it"
            )
        small = self.clusters.small_link_similarity
        if self.clusters.small_face_px and isinstance(link, float) and small < link:
            raise ValueError(
                f"clusters.small_link_similarity {small:g} is below clusters.link_similarity {link:g}; it must be the "
                "stricter of the two"
            )
        copies = self.evidence.copy_similarity
        if self.evidence.pictures and isinstance(link, float) and isinstance(copies, float) and copies < link:
            raise ValueError(
                f"evidence.copy_similarity {copies:g} is below clusters.link_similarity {link:g}; copies of a "
                "photograph are more alike than any two, so raise it"
            )
        if self.edges.within_label and self.clusters.method == "connected":
            raise ValueError("clusters.method connected needs the edges of all faces; set edges.within_label to false")
        if 0 < self.edges.k < self.clusters.min_samples - 1 and self.clusters.method == "dbscan":
            raise ValueError(
                f"edges.k {self.edges.k} is too small for clusters.min_samples {self.clusters.min_samples}: no face "
                "could be a core face; set edges.k to 0 (all neighbours) or to at least min_samples - 1"
            )
        return self


class SplitSettings(Settings):
    """Which identities are for testing, and which for each training set; all four limits are strict."""

    seed: int = Field(42, ge=0, description="of all random choices")
    min_visibility: float = Field(0.5, ge=0, le=1, description="visibility from which a keypoint counts as visible")
    qualifying_above: int = Field(30, ge=0, description="a testing identity has more qualifying images than this")
    qualifying_below: int = Field(70, ge=1, description="and fewer qualifying images than this")
    images_above: int = Field(30, ge=0, description="a testing identity has more images in all than this")
    images_below: int = Field(150, ge=1, description="and fewer images in all than this")
    testing: SplitName = Field("wb_testing", description="name of the testing set")
    testing_identities: int = Field(4000, ge=0, description="identities in the testing set, at most")
    pool_share: Share = Field(0.48, description="share of the other identities, those with most images, in the pool")
    subsets: dict[SplitName, Share] = Field(
        {"wb12m": 0.7, "wb4m": 0.25}, description="name of each training set and its share of the pool"
    )

    unassigned: SplitName | None = Field(
        None,
        description="name of a further set: the faces that are nobody's (noise, small_identity); null: none",
    )

    @model_validator(mode="after")
    def _names_differ(self) -> "SplitSettings":
        if self.testing in self.subsets:
            raise ValueError(f"subsets has the testing set's name {self.testing}; rename one of them")
        if self.unassigned is not None and self.unassigned in {self.testing, *self.subsets}:
            raise ValueError(f"unassigned has the name {self.unassigned} of another set; rename one of them")
        return self
