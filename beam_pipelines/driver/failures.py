"""Failing early: a job in which too much fails is stopped while it runs, and not at the end of its list.

What is committed is a sample of the list, and its unit is the chunk: items that stand side by side often share a host,
and fail together. So the job is stopped when the failed share is above the limit even at the lower end of its
confidence interval, taken for as many observations as there are chunks (E. B. Wilson 1927, one-sided, 99 %), and
when it would be so for the whole stage too, with all that earlier starts of the run have done.
"""

import math
import time
from dataclasses import dataclass

from beam_pipelines.driver import interrupt
from beam_pipelines.driver.committed import Committed
from beam_pipelines.errors import RunFailed
from transforms.tables.ledger import Tally, tally

LEAST_ITEMS = 50
_Z = 2.3263  # of the normal distribution: one-sided, 99 %
_PAUSE, _EASE = 1.0, 20  # seconds between looks, and times as long as a look took
_TOLD = 3  # reasons that the message names


class TooManyFailed(RunFailed):
    """A job was stopped on the way; what is committed stays."""


def least_share(failed: int, items: int, chunks: int) -> float:
    """The lower end of the confidence interval of the failed share, from so many chunks."""
    share = failed / items
    middle = share + _Z**2 / (2 * chunks)
    spread = _Z * math.sqrt(share * (1 - share) / chunks + (_Z / (2 * chunks)) ** 2)
    return max(0.0, (middle - spread) / (1 + _Z**2 / chunks))


def projected(done: Tally, rest: float, share: float) -> float:
    """The failed share of the whole stage if of the items that are left (`rest`) this share fails."""
    return (done.count("failed") + share * rest) / (done.items + rest)


@dataclass
class Watch:
    """Stops a job by TooManyFailed; called again and again while it runs, it looks at the footers now and then."""

    committed: Committed
    max_failed_share: float
    _due: float = 0.0
    _judged: int = 0  # items

    def __call__(self) -> None:
        """Judge what is new; KeyboardInterrupt where Ctrl-C was lost."""
        interrupt.check()
        began = time.monotonic()
        if began >= self._due:
            self.committed.look()
            ended = time.monotonic()
            self._due = ended + max(_PAUSE, _EASE * (ended - began))
        items = sum(reasons.total() for reasons in self.committed.reasons.values())
        if items != self._judged:
            self._judged = items
            for stage in self.committed.reasons:
                self._judge(stage)

    def _judge(self, stage: str) -> None:
        reasons, chunks = self.committed.reasons[stage], self.committed.chunks[stage]
        here = Tally(dict(reasons), 0)
        left = len(self.committed.wanted or ()) - chunks
        if here.items < LEAST_ITEMS or left <= 0:
            return
        least = least_share(here.count("failed"), here.items, chunks)
        if least <= self.max_failed_share:
            return
        rest = here.items * left / chunks
        if projected(tally(self.committed.run, stage), rest, least) <= self.max_failed_share:
            return
        failed = {code: n for code, n in reasons.most_common() if Tally({code: n}, 0).count("failed")}
        told = ", ".join(f"{code} {n}" for code, n in list(failed.items())[:_TOLD])
        raise TooManyFailed(
            f"{self.committed.run}: stopped, since {sum(failed.values())} of the first {here.items} items failed in "
            f"stage {stage} ({told}), more than max_failed_share {self.max_failed_share:g} allows. Mend the cause and "
            "give the same command again: it goes on, and `manyfaces retry` then tries the failed ones again; "
            "--set max_failed_share=1 goes on without them."
        )
