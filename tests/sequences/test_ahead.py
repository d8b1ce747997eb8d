"""What a thread reads ahead comes in order, with its errors, and never more than was asked for."""

import threading

import pytest

from statewise.sequences.ahead import Ahead


def alive():
    return [one for one in threading.enumerate() if one.name == "statewise-ahead"]


def test_all_items_in_order():
    with Ahead(lambda: iter(range(1000)), depth=3) as items:
        assert list(items) == list(range(1000))
        assert list(items) == []
        assert items.waited >= 0
    assert not alive()


def test_no_more_is_made_than_may_wait():
    made, free = [], threading.Semaphore(0)

    def make():
        for i in range(100):
            made.append(i)
            free.release()
            yield i

    with Ahead(make, depth=2) as items:
        for _ in range(3):  # two that wait, and the one that is being made
            assert free.acquire(timeout=60)
        assert not free.acquire(timeout=0.05)
        assert next(items) == 0
        assert free.acquire(timeout=60)
        assert made == [0, 1, 2, 3]
    assert not alive()


def test_an_error_comes_where_the_item_would_have():
    def make():
        yield 1
        raise OSError("the disk is gone")

    with Ahead(make, depth=5) as items:
        assert next(items) == 1
        with pytest.raises(OSError, match="the disk is gone"):
            next(items)
        assert list(items) == []


def test_closing_closes_what_is_read():
    closed = threading.Event()

    def make():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    items = Ahead(make, depth=1)
    next(items)
    items.close()
    assert closed.is_set()
    assert not alive()
    assert list(items) == []
