"""Things that a configuration calls by name: those that come with manyfaces, and a user's own by `module:attribute`."""

import difflib
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or the list of what there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(names))}."


def load(kind: str, name: str, known: Mapping[str, str]) -> Any:
    """What a name stands for; its module is imported only now.

    `known` has the place of each name, `module:attribute`; the name may be such a place itself, of a package that is
    installed where the run is started and on its workers. `kind` says in an error what is looked for. ValueError, in
    one sentence, if there is no such name, module or attribute.
    """
    place = known.get(name, name)
    module, colon, attribute = place.partition(":")
    if not (colon and module and attribute):
        raise ValueError(f"there is no {kind} {name!r}; {nearest(name, known)} One of your own is `module:attribute`.")
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:  # the module itself, or something that it needs
        raise ValueError(
            f"{kind} {name!r}: there is no module {error.name!r}; install the package that has it, where the run is "
            "started and on its workers."
        ) from error
    except Exception as error:  # a stranger's code may raise anything
        said = " ".join(str(error).split()) or "without a word"
        raise ValueError(f"{kind} {name!r}: {module} cannot be imported: {type(error).__name__}: {said}.") from error
    if not hasattr(found, attribute):
        raise ValueError(f"{kind} {name!r}: the module {module} has no {attribute!r}; {nearest(attribute, dir(found))}")
    return getattr(found, attribute)
