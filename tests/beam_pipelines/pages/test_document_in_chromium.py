"""The skeleton of a page in a real browser."""

import pytest

from beam_pipelines.pages.document import Section, document
from beam_pipelines.pages.html import Html, element

pytestmark = pytest.mark.chromium
EVIL = "<script>document.title = 'run by a stranger'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def opened(page, tmp_path_factory):
    sections = [Section("one", "One", element("p", EVIL)), Section("two", EVIL, element("p", "2"))]
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(document(f"a run {EVIL}", sections, lead="what came of it"), encoding="utf-8")
    page.open(path.as_uri())
    return page


def test_text_of_strangers_is_shown_as_text(opened):
    assert EVIL in opened.evaluate("document.querySelector('#one p').innerText")
    assert EVIL in opened.evaluate("document.querySelector('h1').innerText")
    assert opened.evaluate("document.querySelectorAll('script, img').length") == 0
    assert opened.evaluate("document.title") == f"a run {EVIL}"


def test_nothing_is_asked_for_and_nothing_complained_of(opened):
    assert [url.partition(":")[0] for url in opened.requests()] == ["file"]
    assert opened.complaints() == []


def test_both_schemes_of_colours(opened):
    background = {}
    for scheme in ("light", "dark"):
        opened.scheme(scheme)
        background[scheme] = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(251, 251, 250)", "dark": "rgb(20, 23, 28)"}


def test_the_keyboard_goes_to_the_content_and_to_each_section(opened):
    focused = []
    for _ in range(3):
        opened.press("Tab")
        focused.append(opened.evaluate("document.activeElement.getAttribute('href')"))
    assert focused == ["#content", "#one", "#two"]
    opened.press("Enter")
    assert opened.evaluate("location.hash") == "#two"


def test_a_script_that_got_in_unescaped_does_not_run(page, tmp_path):
    """Last: it opens a page of its own, whose policy the browser complains of."""
    path = tmp_path / "page.html"
    path.write_text(document("safe", [Section("one", "One", Html(f'<p style="color:red">{EVIL}</p>'))]))
    page.open(path.as_uri())
    assert page.evaluate("document.title") == "safe"
    refused = " ".join(page.complaints())
    assert all(one in refused for one in ("script-src", "style-src", "img-src")), refused
