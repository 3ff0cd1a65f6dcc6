import pytest

from beam_pipelines.pages.html import Html, element, escape, join


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("\"quoted\" 'too'", "&quot;quoted&quot; &#x27;too&#x27;"),
        ("a\0b\x1b[0m", "a\ufffdb\ufffd[0m"),
        ("\ud800", "\ufffd"),
        ("Žižek 张\n", "Žižek 张\n"),
        (12, "12"),
    ],
)
def test_text_is_shown_as_it_is(text, shown):
    assert escape(text) == shown


def test_html_is_escaped_once():
    assert escape(escape("<b>")) == "&lt;b&gt;"
    assert element("b", element("i", "<")) == "<b><i>&lt;</i></b>"


def test_what_is_made_of_html_by_other_means_is_text_again():
    assert escape(f"{Html('<b>')}") == "&lt;b&gt;"


def test_attributes_are_escaped_and_named_as_html_has_them():
    made = element("a", "x", href='"><script>', class_="id", aria_label="l", hidden=True, title=None, id=False)
    assert made == '<a href="&quot;&gt;&lt;script&gt;" class="id" aria-label="l" hidden>x</a>'


def test_void_elements_have_no_end():
    assert element("img", alt="", width=3, opacity=0.500001) == '<img alt="" width="3" opacity="0.5">'


def test_pieces_are_joined():
    assert join(["<", Html("<br>"), 3], ", ") == "&lt;, <br>, 3"
