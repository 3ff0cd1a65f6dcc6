"""What lies in a run's folder and is none of the run's: no removal searches it, so the user is told of it."""

from collections.abc import Sequence

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.cards.write import CARD, CROISSANT
from beam_pipelines.removal.find import tables_of
from beam_pipelines.reports.folders import CALIBRATION, EVALUATION, VERIFICATION, VIDEO
from transforms.flow.stages import Stage
from transforms.tables.ledger import RETRIES
from transforms.tables.removals import RECORD, UNDER_WAY

_OWN = ("run.json", "attempt", "lock", "ledger", "marks", RETRIES, RECORD, UNDER_WAY, CARD, CROISSANT)
_REPORTS = (EVALUATION, VERIFICATION, CALIBRATION, VIDEO)


def strangers(run: str, stages: Sequence[Stage]) -> list[str]:
    """The names, directly in the run's folder, of files and folders that neither a stage nor a command wrote there."""
    made = [name for stage in stages for name in (*stage.tables, *stage.files)]
    own = {name.partition("/")[0] for name in (*_OWN, *_REPORTS, *tables_of(stages), *made)}
    top = f"{run.rstrip('/')}/"
    found = FileSystems.match([f"{top}**"])[0].metadata_list
    return sorted({one.path.removeprefix(top).partition("/")[0] for one in found} - own)
