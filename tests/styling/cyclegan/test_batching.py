"""Batches in a row: outcomes in order, failures beside their item, decoding ahead, no more than three in memory."""

from __future__ import annotations

import threading

import pytest

from styling.cyclegan.batching import rendered_in_batches


def decode(item):
    if item % 5 == 3:
        raise OSError(f"{item} is broken")
    return item * 10


def run(items, **changes):
    steps = {
        "decode": decode,
        "translate": lambda pictures: [picture + 1 for picture in pictures],
        "encode": lambda item, picture, rendered: (item, picture, rendered),
        "batch": 4,
    }
    return rendered_in_batches(items, **(steps | changes))


def test_outcomes_come_in_order_with_failures_in_their_place():
    outcomes = list(run(range(11)))
    assert [item for item, _result in outcomes] == list(range(11))
    assert [item for item, result in outcomes if isinstance(result, OSError)] == [3, 8]
    assert outcomes[7] == (7, (7, 70, 71))


def test_nothing_gives_nothing():
    assert list(run([])) == []


def test_the_next_batch_is_decoded_while_one_is_translated():
    second_decoded = threading.Event()

    def decode_and_tell(item):
        if item == 4:
            second_decoded.set()
        return item

    def translate(pictures):
        # Would run into its deadline if decoding waited for translating.
        assert second_decoded.wait(timeout=20)
        return pictures

    assert len(list(run(range(8), decode=decode_and_tell, translate=translate))) == 8


def test_no_more_than_three_batches_are_begun_before_the_first_is_taken():
    begun = []

    def counted(item):
        begun.append(item)
        return item

    outcomes = run(range(100), decode=counted)
    next(outcomes)
    outcomes.close()
    assert len(begun) <= 12


def test_what_is_no_failure_of_a_picture_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(run(range(2), translate=lambda _pictures: 1 // 0))
    with pytest.raises(TypeError):
        list(run(["a", "b"]))
