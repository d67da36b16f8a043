from __future__ import annotations

import time

from deployments.models.engines.deadline import call_deadline, remaining_s


def test_without_a_deadline_the_limit_is_all_there_is() -> None:
    assert remaining_s(60) == 60


def test_inside_a_call_its_deadline_counts_when_it_is_nearer() -> None:
    with call_deadline(time.time() + 1000):
        assert remaining_s(60) == 60
        assert 900 < remaining_s(5000) <= 1000


def test_a_deadline_in_the_past_leaves_nothing() -> None:
    with call_deadline(time.time() - 5):
        assert remaining_s(60) == 0


def test_the_deadline_ends_with_its_call() -> None:
    with call_deadline(time.time() - 5), call_deadline(time.time() + 1000):
        assert remaining_s(60) == 60
    assert remaining_s(60) == 60
