"""What went in and came out, stage by stage, with the reasons."""

from collections.abc import Mapping

from beam_pipelines.pages.charts import stacked
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import Source
from beam_pipelines.pages.table import table
from transforms.tables.reasons import reason

MOST_REASONS = 12  # of a stage
_LEGEND = (("blue", "kept"), ("amber", "dropped by a rule"), ("red", "failed"))


def section(source: Source) -> Section | None:
    """A bar and a row for each stage; None before the first one."""
    if not source.stages:
        return None
    rows = [
        (
            stage.name if stage.is_done else join([stage.name, " (so far)"]),
            stacked([("blue", stage.kept), ("amber", stage.dropped), ("red", stage.failed)], stage.items),
            stage.items,
            stage.kept,
            stage.dropped,
            stage.failed,
            stage.rows,
            reasons(stage.reasons),
        )
        for stage in source.stages
    ]
    heads = ("stage", "share", "in", "kept", "dropped", "failed", "rows", "reasons")
    keys = join((element("li", _key(colour), " ", words) for colour, words in _LEGEND))
    body = [
        element("ul", keys, class_="tiles note"),
        table(heads, rows, "Items of each stage"),
        element("p", "An item of one stage may become several of the next: an image has many faces.", class_="note"),
    ]
    return Section("funnel", "What went in and came out", join(body))


def _key(colour: str) -> Html:
    return element("svg", element("rect", width=12, height=12, class_=colour), width=12, height=12, aria_hidden="true",
                   class_="key")  # fmt: skip


def reasons(counts: Mapping[str, int]) -> Html:
    """Reason codes with their counts, most first, and their meanings for who points at them."""
    order = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    shown = [element("span", f"{code} {n:,}", title=meaning(code)) for code, n in order[:MOST_REASONS]]
    if len(order) > MOST_REASONS:
        shown.append(element("span", f"and {len(order) - MOST_REASONS} other reasons"))
    return join(shown, ", ")


def meaning(code: str) -> str:
    """What a reason code stands for; nothing for one of another version."""
    try:
        return reason(code).meaning
    except KeyError:
        return ""
