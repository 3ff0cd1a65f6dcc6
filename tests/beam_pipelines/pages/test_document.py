import re
from html.parser import HTMLParser

from beam_pipelines.pages.document import Section, document, style_sheet
from beam_pipelines.pages.html import element


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.ids = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids.extend(value for name, value in attrs if name == "id")


PAGE = document("<b>run</b>", [Section("first", "Fir<st>", element("p", "1")), Section("second", "2", element("p"))])


def test_every_section_has_a_heading_and_a_link():
    tags = Tags(PAGE)
    links = [attrs["href"][1:] for tag, attrs in tags.tags if tag == "a"]
    assert links == ["content", "first", "second"]
    assert set(links) <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))
    labelled = [attrs["aria-labelledby"] for tag, attrs in tags.tags if tag == "section"]
    assert labelled == ["first-heading", "second-heading"]


def test_titles_are_escaped():
    assert "<b>" not in PAGE
    assert "Fir&lt;st&gt;" in PAGE


def test_the_policy_allows_nothing_but_the_style_and_pictures_in_the_page():
    (policy,) = (a["content"] for tag, a in Tags(PAGE).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert re.fullmatch(
        r"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-[\w+/]+='", policy
    )


def test_a_server_can_allow_more():
    page = document("t", [], allowed={"default-src": "'none'", "script-src": "'self'"})
    assert "default-src &#x27;none&#x27;; script-src &#x27;self&#x27;; style-src" in page


def test_the_style_names_nothing_outside():
    assert "url(" not in style_sheet()
    assert "@import" not in style_sheet()
