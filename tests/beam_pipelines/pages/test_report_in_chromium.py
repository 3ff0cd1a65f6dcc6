"""The page of a run in a real browser."""

import pytest

from beam_pipelines.pages.report import write_report
from tests.beam_pipelines.pages.reported_run import EVIL, write_run

pytestmark = pytest.mark.chromium
CONTRAST = """(() => {
  const light = colour => colour.match(/\\d+/g).slice(0, 3).map(one => {
    const part = one / 255; return part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4
  }).reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0)
  const paper = light(getComputedStyle(document.querySelector('section')).backgroundColor)
  return ['p', 'a', '.note', 'th'].map(one => {
    const ink = light(getComputedStyle(document.querySelector('section ' + one + ', nav ' + one)).color)
    return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05)
  })
})()"""


@pytest.fixture(scope="module")
def opened(page, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reported")
    path = folder / "report.html"
    write_report(write_run(str(folder / "run")), str(path))
    page.open(path.as_uri())
    return page


def test_nobody_is_asked_and_nothing_complained_of(opened):
    assert {url.partition(":")[0] for url in opened.requests()} == {"file", "data"}
    assert opened.complaints() == []


def test_every_picture_is_drawn(opened):
    opened.evaluate("document.querySelectorAll('img').forEach(one => one.loading = 'eager')")
    drawn = opened.evaluate("Promise.all([...document.images].map(one => one.decode().then(() => one.naturalWidth)))")
    assert len(drawn) == 12
    assert min(drawn) > 0


def test_scripts_of_strangers_are_text(opened):
    assert opened.evaluate("document.querySelectorAll('script').length") == 0
    assert opened.evaluate("document.title") == "webbody: run"
    assert EVIL in opened.evaluate("document.querySelector('#models').innerText")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_both_schemes(opened, scheme):
    opened.scheme(scheme)
    assert min(opened.evaluate(CONTRAST)) > 4.5  # WCAG 2.2, level AA


def test_the_keyboard_reaches_the_sections(opened):
    opened.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    assert opened.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    opened.press("Tab")
    opened.press("Enter")
    assert opened.evaluate("location.hash") == "#funnel"
    opened.press("Tab")
    assert opened.evaluate("document.activeElement.closest('section').id") == "funnel"


def test_a_narrow_window_scrolls_tables_and_not_the_page(opened):
    opened.size(360, 640)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    opened.size(1280, 900)
