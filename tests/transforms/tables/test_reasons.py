from pathlib import Path

import pytest

from transforms.tables.reasons import REASONS, Rejected, reason, told


@pytest.mark.parametrize(
    ("code", "transient"),
    [
        ("http_404", False),
        ("http_403", False),
        ("http_408", True),
        ("http_429", True),
        ("http_500", True),
        ("http_503", True),
        ("http_501", False),
        ("http_524", True),
    ],
)
def test_a_status_is_a_failure_and_may_be_transient(code, transient):
    assert (reason(code).state, reason(code).transient) == ("failed", transient)
    assert code[5:] in reason(code).meaning


@pytest.mark.parametrize("code", ["", "kept", "http_", "http_40x", "no_such_reason", "Timeout", "own_", "own_Too dark"])
def test_unknown_codes_are_errors(code):
    with pytest.raises(KeyError):
        reason(code)


def test_a_rule_of_one_s_own_has_a_code_of_its_own():
    assert reason("own_too_dark").state == "dropped"
    assert Rejected("own_too_dark", "12 of 255").code == "own_too_dark"
    with pytest.raises(ValueError, match=r"no reason code 'too_dark'; a rule of your own has one such as own_too_dark"):
        Rejected("too_dark")


def test_only_failures_are_transient_and_none_is_a_kept():
    assert {meaning.state for meaning in REASONS.values()} == {"dropped", "failed"}
    assert all(meaning.state == "failed" for meaning in REASONS.values() if meaning.transient)
    assert all(meaning.meaning for meaning in REASONS.values())


def test_rejected_tells_code_and_detail():
    assert str(Rejected("timeout", "after 20 s")) == "('timeout', 'after 20 s')"
    assert Rejected("timeout").detail == ""


def test_what_another_process_says_keeps_its_code_if_there_is_such_a_code():
    assert (told("timeout", "after 20 s").code, told("timeout", "after 20 s").detail) == ("timeout", "after 20 s")
    unknown = told("out_of_luck", "why")
    assert unknown.code == "internal_error"
    assert "out_of_luck: why" in unknown.detail
    assert told(None, None).code == "internal_error"


def test_the_documentation_lists_every_code():
    text = (Path(__file__).parents[3] / "docs" / "reasons.md").read_text()
    rows = [f"| `{code}` | {r.state} | {'yes' if r.transient else ''} | {r.meaning} |" for code, r in REASONS.items()]
    assert [line for line in text.splitlines() if line.startswith("| `")] == rows
