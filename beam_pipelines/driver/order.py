"""What a run is asked to do."""

from collections.abc import Callable
from dataclasses import dataclass

from apache_beam.options.pipeline_options import PipelineOptions

from beam_pipelines.driver.progress import Counts
from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from beam_pipelines.runners.options import options_for
from model_handlers.frameworks.devices import is_gpu
from transforms.flow.stages import Job, Stage

Reader = Callable[[], Counts]


def unwatched(read: Reader, _job: str, _items: int | None) -> Reader:
    """The reader of a job's counts as it is."""
    return read


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for."""

    recipe: Recipe
    config: RecipeConfig
    manifest: str
    run: str
    beam: tuple[str, ...] = ()  # the command line's options for Beam
    recompute: bool = False
    submit: str | None = None  # start only this job, by name or number (`next`: whichever is), and do not wait for it
    watched: Callable[[Reader, str, int | None], Reader] = (
        unwatched  # what else gets a job's counts, as of `Monitoring`
    )

    def options(self, job: Job) -> PipelineOptions:
        """Beam's options for one job."""
        gpu = job.inference and is_gpu(self.config.models.device)
        return options_for(self.beam, self.config, self.run, job, gpu)

    def stages(self) -> list[Stage]:
        """All stages of the recipe, in order."""
        return self.recipe.stages_of(self.config)
