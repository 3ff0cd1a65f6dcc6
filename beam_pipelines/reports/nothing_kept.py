"""A run of which nothing came: the stage at which everything ended, and why most of it did."""

from typing import Any

from transforms.tables.reasons import reason

_TOLD = 3  # reasons


def sentence(run: str, record: dict[str, Any]) -> str | None:
    """Where and why nothing was kept: of the first stage that kept nothing; None if all stages kept something."""
    for name, stage in record["stages"].items():
        if stage["kept"]:
            continue
        items = stage["dropped"] + stage["failed"]
        if not items:
            what = f"{record.get('manifest', 'the list')} has no rows" if name == "manifest" else f"{name} got no items"
            return f"NOTHING WAS KEPT: {what}."
        reasons = sorted(stage["reasons"].items(), key=lambda pair: -pair[1])
        told = "; ".join(f"{code} {n} ({reason(code).meaning})" for code, n in reasons[:_TOLD])
        transient = sum(n for code, n in reasons if reason(code).transient)
        mend = f" `manyfaces retry {run} --transient-only` tries {transient} of them again." if transient else ""
        return f"NOTHING WAS KEPT: the stage {name} kept none of its {items} items. Most often: {told}.{mend}"
    return None
