"""Adding lines to a file of overrides and taking some out again; every other byte of it stays as it is."""

import csv
import io
from collections.abc import Sequence

from beam_pipelines.errors import ConfigError
from transforms.identity.overrides import Override, parse_overrides
from transforms.tables.csv_cells import safe_cell

_COLUMNS = ("rule", "face_a", "face_b", "identity")


def with_lines(path: str, content: bytes, new: Sequence[Override]) -> tuple[bytes, int]:
    """The file's content with new lines at its end, and how many there are: what it already says is not said again.

    ValueError or ConfigError, naming the file by its path, if it is no file of overrides or has no column for a line.
    """
    known = {_meaning(line) for line in parse_overrides(path, io.BytesIO(content))} if content else set()
    text = content.decode("utf-8-sig") or ",".join(_COLUMNS) + "\n"
    header = next(csv.reader(text.splitlines(keepends=True)))
    out = io.StringIO()
    end = "\r\n" if text.splitlines(keepends=True)[0].endswith("\r\n") else "\n"
    write = csv.DictWriter(out, header, lineterminator=end)
    count = 0
    for line in new:
        if _meaning(line) not in known:
            known.add(_meaning(line))
            write.writerow(_cells(path, line, header))
            count += 1
    if not count:
        return content, 0
    gap = "" if text.endswith(("\n", "\r")) else end
    return (content or text.encode()) + (gap + out.getvalue()).encode(), count


def without_line(path: str, content: bytes, line: int, said: Override) -> bytes:
    """The content without the row that ends at this line; ConfigError if it no longer is what the row `said`."""
    text = content.decode("utf-8-sig")
    found = [one for one in parse_overrides(path, io.BytesIO(content)) if one.line == line]
    if not found or _meaning(found[0]) != _meaning(said):
        raise ConfigError(f"line {line} of {path} is no longer what was shown; look at the list of marks again.")
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines)
    before = 0
    for _ in reader:
        if reader.line_num >= line:
            break
        before = reader.line_num
    mark = content[: len(content) - len(text.encode())]  # that of the byte order, if the file begins with one
    return mark + "".join([*lines[:before], *lines[line:]]).encode()


def _meaning(line: Override) -> tuple[str, bool, tuple[str, ...]]:
    """What a line says, whichever of two faces it names first."""
    return line.rule, line.whole, tuple(sorted(line.faces))


def _cells(path: str, line: Override, header: Sequence[str]) -> dict[str, str]:
    names = ("identity",) if line.whole else ("face_a", "face_b")
    cells = {"rule": line.rule, **dict(zip(names, line.faces, strict=False))}
    if lacking := sorted(cells.keys() - set(header)):
        raise ConfigError(f"{path} has no column {lacking[0]}; add it to the file's first line.")
    for cell in cells.values():
        if safe_cell(cell) != cell:  # with a mark before it, as elsewhere, it would be no id any more
            raise ConfigError(f"{cell!r} would be a formula in a spreadsheet; write its line into {path} yourself.")
    return cells
