import pytest
from pydantic import Field

from transforms.settings import How, Settings, what


class Patience(Settings):
    retries: int = 1


class Inner(Settings):
    size: int = 640
    threads: How[int] = Field(4, ge=1)


class Outer(Settings):
    name: How[str | None] = None
    inner: Inner = Inner()
    patience: How[Patience] = Patience()
    maybe: Inner | None = None
    some: tuple[Inner, ...] = ()
    named: dict[str, Inner] = Field({})


EMPTY = {"inner": {"size": 640}, "maybe": None, "some": [], "named": {}}
CASES = [
    (Outer(), EMPTY),
    (Outer(name="x", inner=Inner(threads=9), patience=Patience(retries=7)), EMPTY),
    (Outer(inner=Inner(size=1)), EMPTY | {"inner": {"size": 1}}),
    (Outer(maybe=Inner(threads=2)), EMPTY | {"maybe": {"size": 640}}),
    (Outer(some=(Inner(), Inner(size=1, threads=8))), EMPTY | {"some": [{"size": 640}, {"size": 1}]}),
    (Outer(named={"a": Inner(threads=7)}), EMPTY | {"named": {"a": {"size": 640}}}),
]


@pytest.mark.parametrize(("settings", "plain"), CASES)
def test_rows_depend_on_what_is_not_marked_wherever_it_stands(settings, plain):
    assert what(settings) == plain


def test_a_marked_setting_is_checked_like_any_other():
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Inner(threads=0)
    with pytest.raises(ValueError, match="valid integer"):
        Inner(threads="many")
