"""Calls that overlap, in real threads: barriers and events show it, not the time."""

import threading
from collections.abc import Iterator

import pytest

from connect_provider.connect.calls import overlapped, start
from connect_provider.errors import StillWaiting
from connect_provider.failures import CallError, Failure

_PATIENCE = 10.0


def failure() -> CallError:
    return CallError(
        operation="DescribeUser", subject="user", failure=Failure.OTHER, code="Code", said="said"
    )


def test_as_many_are_under_way_as_asked_for() -> None:
    together = threading.Barrier(4)
    outcomes = overlapped(range(12), lambda _: void(together.wait(_PATIENCE)), width=lambda: 4)
    assert sorted(outcomes, key=lambda outcome: outcome[0]) == [(item, None) for item in range(12)]


def test_never_more_than_ten_are_under_way() -> None:
    together = threading.Barrier(10)
    under_way, most, lock = 0, 0, threading.Lock()

    def send(_: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait(_PATIENCE)
        with lock:
            under_way -= 1

    assert len(list(overlapped(range(40), send, width=lambda: 1000))) == 40
    assert most == 10


def test_one_at_a_time_needs_no_thread() -> None:
    threads = set()
    outcomes = overlapped("abc", lambda _: threads.add(threading.get_ident()), width=lambda: 1)
    assert list(outcomes) == [("a", None), ("b", None), ("c", None)]
    assert threads == {threading.get_ident()}


def test_it_narrows_while_it_runs() -> None:
    widths, threads, done = [3], [], 0

    def send(_: int) -> None:
        threads.append(threading.current_thread() is threading.main_thread())

    for _ in overlapped(range(10), send, width=lambda: widths[-1]):
        done += 1
        widths.append(1)
    assert done == 10
    assert threads[0] is False
    assert threads[-1] is True


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("error", [failure(), StillWaiting("later")], ids=["failed", "waits"])
def test_what_went_wrong_comes_with_its_item(width: int, error: Exception) -> None:
    def send(item: int) -> None:
        if item % 2:
            raise error

    outcomes = dict(overlapped(range(6), send, width=lambda: width))
    assert outcomes == {0: None, 1: error, 2: None, 3: error, 4: None, 5: error}


@pytest.mark.parametrize("width", [1, 3])
def test_an_outcome_may_end_the_items(width: int) -> None:
    stop = False

    def items() -> Iterator[int]:
        for item in range(100):
            if stop:
                return
            yield item

    seen = []
    for item, _ in overlapped(items(), lambda _: None, width=lambda: width):
        seen.append(item)
        stop = True
    assert sorted(seen) == list(range(width)), "what was under way is yielded too"


@pytest.mark.parametrize("width", [1, 3])
def test_another_error_is_raised(width: int) -> None:
    def send(_: int) -> None:
        raise KeyError("no such item")

    with pytest.raises(KeyError):
        list(overlapped(range(6), send, width=lambda: width))


def test_nothing_is_under_way_once_it_is_closed() -> None:
    answered, begun = threading.Event(), threading.Event()
    finished = []

    def send(item: int) -> None:
        if item:
            begun.set()
            answered.wait(_PATIENCE)
        finished.append(item)

    outcomes = overlapped(range(10), send, width=lambda: 2)
    assert next(outcomes) == (0, None)
    assert begun.wait(_PATIENCE)
    threading.Timer(0.05, answered.set).start()
    outcomes.close()
    assert finished == [0, 1]


def test_a_thread_s_result_and_error_are_handed_over() -> None:
    assert start(lambda: 7).result(_PATIENCE) == 7
    threads: set[threading.Thread] = set()
    start(lambda: threads.add(threading.current_thread())).result(_PATIENCE)
    assert threads.isdisjoint({threading.main_thread()})
    assert all(thread.daemon for thread in threads), "nobody waits for it at the end"

    def fail() -> None:
        raise SystemExit(3)

    assert isinstance(start(fail).exception(_PATIENCE), SystemExit)


def void(_: object) -> None:
    """Drop what a barrier answers."""
