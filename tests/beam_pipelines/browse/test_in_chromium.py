"""The pages in a real browser, by keyboard: page on, tick faces, mark them, see it written, take it out again."""

import pytest

from tests.beam_pipelines.browse.made_run import served, write_run
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = write_run(str(tmp_path_factory.mktemp("browse") / "run"))
    listed = [ListedImage(f"item{number:03d}", f"https://h/{number}", None, "{}") for number in range(120)]
    write_shard(shard_path(run, "manifest", "00010"), to_table(listed, arrow_schema(ListedImage)))
    return run


def follow(page, selector):
    """Focus an element and press Enter; returns when the next page is there."""
    assert page.evaluate(f"(document.querySelector({selector!r})?.focus(), !!document.querySelector({selector!r}))")
    page.events.clear()
    page.press("Enter")
    page.wait("Page.loadEventFired")


def text(page):
    return page.evaluate("document.body.innerText")


def test_a_person_looks_through_a_run_and_marks_a_mistake(page, run, tmp_path):
    path = tmp_path / "marks.csv"
    with served(run, str(path)) as server:
        page.open(server.address)
        follow(page, "a[href='table?name=manifest']")
        assert "1 to 50 of 130 rows" in text(page)
        follow(page, "a[accesskey=n]")
        assert "51 to 100 of 130 rows" in text(page)
        follow(page, "header a[href=identities]")
        follow(page, "a[href='identity?number=0']")
        assert page.evaluate("Promise.all([...document.images].map(one => one.decode())).then(all => all.length)") == 5
        page.evaluate("document.querySelector('[name=face]').focus()")
        page.press("Space")
        page.press("Tab")
        follow(page, "button[value=person]")
        assert "1 line was written" in text(page)
        assert path.read_text() == "rule,face_a,face_b,identity\ncannot_link,a3-f0,a0-f0,\n"
        follow(page, "a[href='identity?number=0']")
        assert "kept apart" in text(page)
        follow(page, "header a[href=marks]")
        follow(page, "button[aria-label='Take out line 2']")
        assert "0 marks" in text(page)
        assert path.read_text() == "rule,face_a,face_b,identity\n"
        assert page.complaints() == []
        assert all(url.startswith(server.address) for url in page.requests())


def test_text_of_strangers_is_shown_and_not_run(page, run):
    with served(run) as server:
        for path in (
            "table?name=manifest",
            "table?name=identities",
            "search?q=<script>alert(1)</script>",
            "face?id=c1-f0",
        ):
            page.open(server.address + path)
            assert page.evaluate("document.scripts.length") == 0
            assert "<script>alert(1)</script>" in text(page)
            assert page.complaints() == []
        page.open(f"{server.address}picture?table=images&shard=00000&row=0&column=image")
        assert "holds no picture" in text(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_needs_no_sideways_scrolling(page, run, scheme):
    with served(run) as server:
        page.scheme(scheme)
        page.size(400, 800)
        for path in (
            "",
            "table?name=faces",
            "identities",
            "identity?number=0",
            "near?number=0",
            "marks",
            "face?id=a3-f0",
        ):
            page.open(server.address + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 400, path
        page.size(1280, 900)
