"""Plans against a few lines of Python that say the same; hostile arguments are refused."""

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from textrnn.native import Plan, library

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")

Steps = list[tuple[int, int]]


def expected_steps(lengths: list[int], rows_an_item: int) -> tuple[list[list[int]], list[Steps]]:
    """The rows of each item, and its steps (row, time) in the order of their positions."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])  # stable
    count = max(1, -(-len(lengths) // rows_an_item))
    items: list[list[int]] = [[] for _ in range(count)]
    for first in range(0, len(order), count):
        turn = items if first // count % 2 == 0 else items[::-1]
        for item, row in zip(turn, order[first : first + count], strict=False):
            item.append(row)
    longest = max(lengths, default=0)
    return items, [[(row, t) for t in range(longest) for row in rows if t < lengths[row]] for rows in items]


def array(pointer: Any, count: int) -> list[int]:
    return pointer[:count] if count else []


def check(lengths: list[int], ids: NDArray[np.int64], vocabulary: int, rows_an_item: int) -> None:
    stamp = np.full(vocabulary, -1, np.int32)
    plan = Plan(np.array(lengths, np.int64), ids, vocabulary, rows_an_item=rows_an_item, stamp=stamp)
    assert (stamp == -1).all()
    record = plan.record.contents
    items, steps_of_items = expected_steps(lengths, rows_an_item)
    steps = [step for steps in steps_of_items for step in steps]
    assert (plan.batch, plan.positions, plan.items) == (len(lengths), sum(lengths), len(items))
    assert list(zip(plan.source_row.tolist(), plan.source_time.tolist(), strict=True)) == steps

    place = {step: position for position, step in enumerate(steps)}
    mirror = [place[row, lengths[row] - 1 - t] for row, t in steps]
    assert array(record.mirror, plan.positions) == mirror

    first = 0
    for number, (rows, some) in enumerate(zip(items, steps_of_items, strict=True)):
        item = record.item[number]
        time = max((lengths[row] for row in rows), default=0)
        assert (item.rows, item.time, item.first_position) == (len(rows), time, first)
        assert array(item.row, item.rows) == rows
        assert array(item.length, item.rows) == [lengths[row] for row in rows]
        assert array(item.alive, item.time) == [sum(lengths[row] > t for row in rows) for t in range(time)]
        first += len(some)

    read = [int(ids[step]) for step in steps]
    unique = list(dict.fromkeys(read))
    assert plan.unique == len(unique) and plan.unique_ids.tolist() == unique
    assert plan.unique_index.tolist() == [unique.index(id) for id in read]
    found = {id: [position for position, other in enumerate(read) if other == id] for id in unique}
    edges = array(record.occurrence, plan.unique + 1) if unique else [0]
    assert edges == np.cumsum([0, *(len(found[id]) for id in unique)]).tolist()
    assert array(record.occurrences, plan.positions) == [position for id in unique for position in found[id]]

    other = Plan(np.array(lengths, np.int64), rows_an_item=rows_an_item)
    assert (other.source_row == plan.source_row).all() and (other.source_time == plan.source_time).all()
    assert other.unique == 0 and not other.unique_ids.size and not other.unique_index.size


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.one_of(st.integers(0, 12), st.integers(0, 2)), max_size=50),
    more_time=st.integers(0, 2),
    vocabulary=st.integers(1, 40),
    rows_an_item=st.one_of(st.integers(1, 20), st.just(2**40)),
    seed=st.integers(0, 1000),
)
def test_plans(lengths: list[int], more_time: int, vocabulary: int, rows_an_item: int, seed: int) -> None:
    time = max(lengths, default=0) + more_time
    ids = np.random.default_rng(seed).integers(0, vocabulary, (len(lengths), time))
    for row, length in enumerate(lengths):
        ids[row, length:] = -(2**50)  # padding is never read
    check(lengths, ids, vocabulary, rows_an_item)


def test_an_empty_batch() -> None:
    check([], np.empty((0, 0), np.int64), 3, 16)
    check([0, 0], np.empty((2, 0), np.int64), 3, 16)


def test_other_kinds_of_arrays_are_converted() -> None:
    lengths = np.array([2, 9, 1, 9], np.int32)[::2]
    ids = np.asfortranarray(np.array([[3, 1], [1, 0]], np.uint16))
    plan = Plan(lengths, ids, 4)  # type: ignore[arg-type]
    assert plan.unique_ids.tolist() == [3, 1] and plan.unique_index.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("lengths", "ids", "vocabulary"),
    [
        ([2, -1], [[1, 1], [1, 1]], 2),
        ([-(2**63)], [[1]], 2),
        ([2, 3], [[1, 1], [1, 1]], 2),
        ([2**62], [[1, 1]], 2),
        ([2], [[1, 2]], 2),
        ([2], [[1, -1]], 2),
        ([2], [[1, 2**40]], 2),
        ([1], [[0]], 0),
        ([1, 1], [[1]], 2),
        ([1], [1], 2),
        ([1], [[[1]]], 2),
    ],
)
def test_hostile_arguments_are_refused(lengths: list[int], ids: Any, vocabulary: int) -> None:
    stamp = np.full(vocabulary, -1, np.int32)
    with pytest.raises(ValueError, match=r"length|ids of shape"):
        Plan(np.array(lengths), np.array(ids), vocabulary, stamp=stamp)
    assert (stamp == -1).all()


@pytest.mark.parametrize("lengths", [[-1], [3, -5], [2**31], [2**63 - 1, 2**63 - 1], [2**30, 2**30, 2**30]])
def test_hostile_lengths_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match="length is negative"):
        Plan(np.array(lengths))


@pytest.mark.parametrize("rows", [0, -1, -(2**63)])
def test_items_without_rows_are_refused(rows: int) -> None:
    with pytest.raises(ValueError, match="length is negative"):
        Plan(np.array([1]), rows_an_item=rows)


@pytest.mark.parametrize(("length", "id"), [(3, 1), (-1, 1), (2, 2), (2, -1), (2, 2**40)])
def test_a_plan_of_addresses_refuses_them_too(length: int, id: int) -> None:
    lengths, ids, stamp = np.array([1, length]), np.array([[1, 0], [1, id]]), np.full(2, -1, np.int32)
    with pytest.raises(ValueError, match="a length is negative or beyond the ids"):
        Plan.at(lengths.ctypes.data, ids.ctypes.data, 2, 2, stamp.ctypes.data, 2)
    assert (stamp == -1).all()


def test_freeing_nothing() -> None:
    kernels = library()
    assert kernels is not None
    kernels.textrnn_plan_free(None)
    assert not kernels.textrnn_cell_shape(6, ctypes.c_int32(), ctypes.c_int32())
    assert not kernels.textrnn_cell_shape(-1, ctypes.c_int32(), ctypes.c_int32())
