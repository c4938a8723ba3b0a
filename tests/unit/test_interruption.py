"""Ctrl-C while processes are being started."""

import os
import signal
import subprocess
import sys
from threading import Event, Thread

import pytest

from api.interruption import uninterrupted

INTERRUPTS_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('went on')"


def test_what_comes_meanwhile_comes_at_the_end() -> None:
    done = []

    def interrupted() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("all")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["all"]


def test_nor_is_it_lost_when_another_thread_is_told() -> None:
    waiting = Event()
    other = Thread(target=waiting.wait)
    other.start()  # before, so that it does not wait for the end itself

    def interrupted() -> None:
        with uninterrupted():
            signal.pthread_kill(other.ident or 0, signal.SIGINT)
            waiting.set()
            other.join()

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_afterwards_it_is_heard_at_once_again() -> None:
    with uninterrupted():
        pass
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_started_meanwhile_does_not_hear_it() -> None:
    with uninterrupted():
        child = subprocess.Popen([sys.executable, "-c", INTERRUPTS_ITSELF], stdout=subprocess.PIPE, text=True)
    assert child.communicate()[0] == "went on\n"


def test_a_thread_that_is_not_the_first_may_start_processes_so_too() -> None:
    started = []

    def start() -> None:
        with uninterrupted():
            started.append(subprocess.run([sys.executable, "-c", INTERRUPTS_ITSELF], capture_output=True, text=True))

    thread = Thread(target=start)
    thread.start()
    thread.join()
    assert [each.stdout for each in started] == ["went on\n"]
