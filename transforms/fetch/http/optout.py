"""Whether a server's headers reserve an image against this use: X-Robots-Tag and the TDM reservation protocol."""

import re
from collections.abc import Collection, Iterable

# directives of X-Robots-Tag that have a value after a colon, so that the name before it is no user agent
_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})


def opt_out(headers: Iterable[tuple[str, str]], agent: str, directives: Collection[str], tdm: bool) -> str:
    """What in the headers refuses the use, empty if nothing does.

    `headers` are (lower case name, value) of the response; `agent` is the product name of our user agent in lower case:
    directives scoped to another agent do not count. `directives` are those that refuse. `tdm` says whether
    `tdm-reservation: 1` (W3C TDM Reservation Protocol) refuses.
    """
    for name, value in headers:
        if name == "x-robots-tag":
            found = robots_directives(value, agent).intersection(directives)
            if found:
                return f"X-Robots-Tag: {', '.join(sorted(found))}"
        elif tdm and name == "tdm-reservation" and value.strip() == "1":
            return "tdm-reservation: 1"
    return ""


def robots_directives(value: str, agent: str) -> set[str]:
    """The directives of one X-Robots-Tag header that apply to the agent, lower case.

    `agent:` scopes all that follows it in the header, up to the next `agent:`.
    """
    applies = True
    found = set()
    for part in value.lower().split(","):
        rest = part.strip()
        while scope := re.match(r"([a-z0-9_.*-]+)\s*:\s*", rest):
            if scope[1] in _WITH_VALUE:
                break
            applies = scope[1] in ("*", agent)
            rest = rest[scope.end() :]
        if applies and rest:
            found.add(rest)
    return found
