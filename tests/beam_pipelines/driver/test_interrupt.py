"""Ctrl-C that is lost in a callback is found again."""

import os
import signal
from contextlib import suppress
from threading import Thread

import pytest

from beam_pipelines.driver import interrupt, progress


@pytest.fixture(autouse=True)
def listening():
    before = signal.getsignal(signal.SIGINT)
    interrupt.listen()
    yield
    signal.signal(signal.SIGINT, before)
    with suppress(KeyboardInterrupt):
        interrupt.check()


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_nothing_was_pressed():
    interrupt.check()


def test_it_comes_at_once():
    with pytest.raises(KeyboardInterrupt):
        press()


def test_what_was_swallowed_comes_at_the_next_look_and_only_once():
    with suppress(KeyboardInterrupt):
        press()
    with pytest.raises(KeyboardInterrupt):
        interrupt.check()
    interrupt.check()


def test_following_a_job_looks():
    with suppress(KeyboardInterrupt):
        press()
    job = Thread(target=lambda: None)
    job.start()
    with pytest.raises(KeyboardInterrupt):
        progress.follow(job, "job", None, dict)
