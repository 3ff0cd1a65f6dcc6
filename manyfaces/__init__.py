"""Runs and models from Python, in scripts and notebooks.

```python
import manyfaces

run = manyfaces.run("webbody", input="list.csv", output="runs/mine", set={"fetch.contact": "me@example.org"})
faces = run.table("faces").to_table(columns=["face_id", "score", "yaw"])
why = run.ledger("download")

detect = manyfaces.models.load("centerface")
found = detect(pixels)  # boxes, scores, landmarks

judged = manyfaces.evaluate("labels.csv", run)
judged.after.agreement.bcubed.f1

faces = manyfaces.persons.extract("film.mp4", output="runs/film")  # then cluster, merge, plot
```
"""

from beam_pipelines import __version__
from beam_pipelines.api import Run, run
from beam_pipelines.curate import curate
from beam_pipelines.errors import ConfigError, PipelineFailed, RunFailed
from beam_pipelines.evaluate import evaluate
from beam_pipelines.verify import verify
from manyfaces import models, persons
from model_handlers.errors import ModelError
from transforms.evaluation.evaluation import Evaluation

__all__ = [
    "ConfigError",
    "Evaluation",
    "ModelError",
    "PipelineFailed",
    "Run",
    "RunFailed",
    "__version__",
    "curate",
    "evaluate",
    "models",
    "persons",
    "run",
    "verify",
]
