"""Small runs whose pages are looked at; their texts are those of a stranger with bad intentions."""

from beam_pipelines.driver.record import write_record
from tests.labelled_run import write_images, write_table
from transforms.tables.ledger import write_ledger
from transforms.tables.rows import CleaningStep
from transforms.tables.verdicts import verdict

EVIL = "<script>document.title='x'</script>\"'&<img src=//stranger.example/p onerror=alert(1)>"
NAMES = [f"{EVIL}{number}" for number in range(4)] + [f"p{number}" for number in range(8)]


def stage(kept: int, rows: int, **reasons: int) -> dict:
    return {
        "kept": kept,
        "dropped": sum(reasons.values()),
        "failed": 0,
        "reasons": reasons,
        "rows": rows,
        "seconds": 1.5,
    }


def record(**changes) -> dict:
    stages = {
        "manifest": stage(13, 13),
        "download": {**stage(12, 12), "failed": 1, "reasons": {"not_an_image": 1}},
        "identity": stage(11, 12, noise=1),
    }
    model = {"name": EVIL, "licence": "MIT", "source": EVIL, "sha256": "0" * 64}
    config = {"jobs": [["download"], ["identity"]], "faces": {"min_score": 0.5}}
    made = {"recipe": "webbody", "started": "then", "finished": "now", "versions": {"manyfaces": "1"}}
    return {**made, "models": {"face": model}, "config": config, "stages": stages, **changes}


def write_run(run: str, **changes) -> str:
    """Twelve faces: identity 0 has six, identity 1 five; one is alone; a thirteenth item of the list is no image."""
    fates = {name: ("c", int(place >= 6)) for place, name in enumerate(NAMES[:-1])} | {NAMES[-1]: (None, None)}
    write_images(run, fates, without_face=("bad",))
    steps = [CleaningStep(name, 2, 11, 11, 0, 0, 0, 25, right, 0.8, 1.0, None, None)
             for name, right in (("clusters", 0.9), ("merging", 0.95))]  # fmt: skip
    write_table(run, "cleaning", CleaningStep, steps)
    fetched = [(verdict(name, ""), 1) for name in NAMES]
    write_ledger(run, "download", "00000", [*fetched, (verdict("bad", "not_an_image", EVIL), 0)])
    found = [(verdict(f"{name}-b0-f0", "" if name != NAMES[-1] else "noise"), 1) for name in NAMES]
    write_ledger(run, "identity", "00000", found)
    write_record(run, record(**changes))
    return run
