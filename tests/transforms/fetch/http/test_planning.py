"""The pure parts of downloading: opt-out headers, retries, the queue of hosts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.fetch.http.backoff import curl_reason, retry_after, retry_delay
from transforms.fetch.http.hosts import HostQueue
from transforms.fetch.http.optout import opt_out, robots_directives
from transforms.fetch.http.settings import DownloadSettings
from transforms.tables.reasons import reason

DIRECTIVES = DownloadSettings().opt_out


@pytest.mark.parametrize(
    ("value", "directives"),
    [
        ("", set()),
        ("noai", {"noai"}),
        ("NoAI , NoImageAI", {"noai", "noimageai"}),
        ("manyfaces: noindex", {"noindex"}),
        ("ManyFaces: noindex, nofollow", {"noindex", "nofollow"}),
        ("googlebot: noindex", set()),
        ("googlebot: noindex, nofollow", set()),
        ("noai, googlebot: noindex", {"noai"}),
        ("googlebot: nofollow, manyfaces: noai, bingbot: noindex", {"noai"}),
        ("*: noai", {"noai"}),
        ("max-snippet: 5, noai", {"max-snippet: 5", "noai"}),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", {"unavailable_after: 25 jun 2010 15:00:00 pst"}),
        ("manyfaces: max-snippet: 5", {"max-snippet: 5"}),
        ("noaimode", {"noaimode"}),
        (":,,:", {":"}),
    ],
)
def test_robots_directives(value, directives):
    assert robots_directives(value, "manyfaces") == directives


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ([], False),
        ([("x-robots-tag", "all")], False),
        ([("x-robots-tag", "all"), ("x-robots-tag", "noai")], True),
        ([("x-robots-tag", "noaimode")], False),
        ([("x-robots-tag", "none")], True),
        ([("tdm-reservation", "1")], True),
        ([("tdm-reservation", " 1 ")], True),
        ([("tdm-reservation", "0")], False),
        ([("tdm-policy", "https://example.com/policy.json")], False),
    ],
)
def test_opt_out(headers, refused):
    assert bool(opt_out(headers, "manyfaces", DIRECTIVES, True)) == refused


def test_opt_out_can_be_configured():
    assert not opt_out([("x-robots-tag", "noindex")], "manyfaces", ("noai",), True)
    assert not opt_out([("x-robots-tag", "noai")], "manyfaces", (), True)
    assert not opt_out([("tdm-reservation", "1")], "manyfaces", DIRECTIVES, False)


@given(st.text())
def test_any_header_can_be_read(value):
    robots_directives(value, "manyfaces")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 0),
        ("120", 120),
        (" 5 ", 5),
        ("-5", 0),
        ("soon", 0),
        ("Thu, 01 Jan 1970 00:17:00 GMT", 20),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("9" * 400, 999_999_999),
        ("²", 0),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(value, 1000.0) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("code", "tries", "asked", "low", "high"),
    [
        ("timeout", 1, 0, 0.5, 1),
        ("timeout", 2, 0, 1, 2),
        ("http_503", 3, 0, 2, 4),
        ("http_429", 1, 7, 7, 7),
        ("timeout", 6, 0, 15, 30),
    ],
)
def test_waits_grow(code, tries, asked, low, high):
    settings = DownloadSettings(retries=9, backoff=1, max_backoff=30)
    assert low <= retry_delay(code, tries, asked, settings, random.Random(1)) <= high


@pytest.mark.parametrize(
    ("code", "tries", "asked"), [("http_404", 1, 0), ("timeout", 4, 0), ("http_429", 1, 31), ("tls_error", 1, 0)]
)
def test_no_more_tries(code, tries, asked):
    assert retry_delay(code, tries, asked, DownloadSettings(retries=3, max_backoff=30), random.Random(1)) is None


@pytest.mark.parametrize("number", [*range(1, 130), -1, 99_999])
def test_every_error_of_libcurl_has_a_reason_and_words(number):
    for message in ("", "curl's words"):
        why = curl_reason(number, message)
        assert reason(why.code)
        assert why.code != "internal_error"
        assert why.detail == message or (not message and str(number) in why.detail)


def test_an_empty_queue():
    queue = HostQueue(2, 0)
    assert len(queue) == 0
    assert queue.pop(0) is None
    assert queue.next_due() is None


def test_the_queue_keeps_to_the_host_limit():
    queue = HostQueue(2, 0)
    for job in range(4):
        queue.push("a", job)
    queue.push("b", 9)
    assert [queue.pop(1) for _ in range(4)] == [0, 1, 9, None]
    assert queue.next_due() is None
    queue.done("a")
    assert [queue.pop(1), queue.pop(1)] == [2, None]
    assert len(queue) == 1


def test_the_queue_spaces_requests_and_pauses():
    queue = HostQueue(5, 2.0)
    for job in range(3):
        queue.push("a", job)
    assert [queue.pop(10), queue.pop(10), queue.next_due()] == [0, None, 12]
    assert queue.pop(11.9) is None
    assert queue.pop(12) == 1
    queue.pause("a", 50)
    assert [queue.pop(49), queue.next_due(), queue.pop(50)] == [None, 50, 2]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5)), max_size=40),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.5]),
    st.randoms(use_true_random=False),
)
def test_every_job_comes_out_once_and_not_too_early(jobs, per_host, interval, dice):
    queue = HostQueue(per_host, interval)
    for number, (host, when) in enumerate(jobs):
        queue.push(host, number, when)
    now, out, active = 0.0, [], []
    for _ in range(2000):
        job = queue.pop(now)
        if job is not None:
            host, when = jobs[job]
            assert now >= when
            out.append(job)
            active.append(host)
            assert active.count(host) <= per_host
        elif active and dice.random() < 0.7:
            queue.done(active.pop(dice.randrange(len(active))))
        else:
            now += 0.25
    assert sorted(out) == list(range(len(jobs)))
    assert len(queue) == 0
