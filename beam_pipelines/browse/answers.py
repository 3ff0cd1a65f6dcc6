"""From a request's address and form to what is answered, without a word of HTTP's wire."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from beam_pipelines.browse import mark_forms, people_pages, search_page, table_pages
from beam_pipelines.browse.asked import Asked, read_fields
from beam_pipelines.browse.frame import ALLOWED, page
from beam_pipelines.browse.picture import picture
from beam_pipelines.browse.refused import Refused, not_there
from beam_pipelines.browse.site import Site
from beam_pipelines.pages.document import Section, policy
from beam_pipelines.pages.html import element

_LOG = logging.getLogger("manyfaces.browse")
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
_NOTHING_MORE = "default-src 'none'; frame-ancestors 'none'; sandbox"  # of what is no page

PAGES: Mapping[str, Callable[[Site, Asked], str]] = {
    "": table_pages.tables,
    "tables": table_pages.tables,
    "table": table_pages.table,
    "row": table_pages.row,
    "search": search_page.search,
    "identities": people_pages.identities,
    "identity": people_pages.identity,
    "near": people_pages.near,
    "face": people_pages.face,
    "marks": mark_forms.marks,
}
FORMS: Mapping[str, Callable[[Site, Asked], str]] = {"mark": mark_forms.mark, "take-out": mark_forms.take_out}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status of HTTP, what is answered, and headers beside those that every answer has."""

    status: HTTPStatus
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def text(status: HTTPStatus, sentence: str) -> Answer:
    """A sentence."""
    return Answer(status, TEXT, f"{sentence}\n".encode("utf-8", "replace"), {"Content-Security-Policy": _NOTHING_MORE})


def get(site: Site, name: str, query: str) -> Answer:
    """The page or picture of an address."""
    return _or_why_not(site, lambda: _got(site, name, read_fields(query)))


def post(site: Site, name: str, form: str) -> Answer:
    """What a form does, and then the page to go to."""
    return _or_why_not(site, lambda: _posted(site, name, read_fields(form)))


def _got(site: Site, name: str, asked: Asked) -> Answer:
    if name == "picture":
        kind, content = picture(site, asked)
        return Answer(HTTPStatus.OK, kind, content, {"Content-Security-Policy": _NOTHING_MORE})
    if name not in PAGES:
        raise not_there("there is no such page; begin at the list of tables.")
    return _page(HTTPStatus.OK, PAGES[name](site, asked))


def _posted(site: Site, name: str, asked: Asked) -> Answer:
    if name not in FORMS:
        raise not_there("there is no such form; begin at the list of tables.")
    headers = {"Location": FORMS[name](site, asked)}
    return Answer(HTTPStatus.SEE_OTHER, TEXT, b"", headers)


def _page(status: HTTPStatus, content: str) -> Answer:
    headers = {"Content-Security-Policy": f"{policy(ALLOWED)}; frame-ancestors 'none'"}
    return Answer(status, HTML, content.encode("utf-8", "replace"), headers)


def _or_why_not(site: Site, answer: Callable[[], Answer]) -> Answer:
    try:
        return answer()
    except Refused as refused:
        status, sentence = refused.status, refused.sentence
    except ValueError as error:  # a file of marks that contradicts itself, vectors of several lengths
        status, sentence = HTTPStatus.CONFLICT, str(error)
    except Exception as error:  # whatever is wrong with one shard or one store is told, and the server goes on
        _LOG.debug("a page failed", exc_info=True)
        status, sentence = HTTPStatus.INTERNAL_SERVER_ERROR, f"this cannot be shown: {type(error).__name__}: {error}"
    said = element("p", sentence, class_="warn", role="alert")
    try:
        return _page(status, page(site, "Not shown", Section("why", status.phrase, said)))
    except Exception:  # the run itself cannot be listed
        return text(status, sentence)
