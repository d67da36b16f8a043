from __future__ import annotations

import pytest

from load_tests.slo_search import HIGHEST_RPS, LOWEST_RPS, highest_rate


@pytest.mark.parametrize("limit", [0.3, 3.9, 4.0, 61.7, 3000])
def test_the_highest_rate_is_found_to_the_precision_from_below(limit: float) -> None:
    found = highest_rate(lambda rate: rate <= limit, 4.0, precision=0.02, tries=1)
    assert found.rate_rps <= limit <= found.rate_rps * 1.02
    assert found.broke_rps is not None
    assert limit < found.broke_rps <= found.rate_rps * 1.02


def test_a_rate_that_breaks_by_chance_is_asked_again() -> None:
    asked: list[float] = []

    def holds(rate: float) -> bool:
        asked.append(rate)
        return rate <= 10 and asked.count(rate) > 1

    assert highest_rate(holds, 4.0).rate_rps == pytest.approx(10, rel=0.05)
    assert all(asked.count(rate) == 2 for rate in asked)


def test_where_nothing_holds_nothing_is_found_and_the_search_ends() -> None:
    found = highest_rate(lambda rate: False, 4.0, tries=1)
    assert (found.rate_rps, found.broke_rps) == (0.0, min(probe.rate_rps for probe in found.probes))
    assert all(probe.rate_rps >= LOWEST_RPS for probe in found.probes)


def test_where_everything_holds_the_search_ends() -> None:
    found = highest_rate(lambda rate: True, 4.0)
    assert found.broke_rps is None
    assert HIGHEST_RPS / 2 < found.rate_rps <= HIGHEST_RPS


def test_probes_are_told_in_order() -> None:
    found = highest_rate(lambda rate: rate < 9, 4.0, precision=0.5, tries=1)
    assert [(probe.rate_rps, probe.held) for probe in found.probes] == [
        (4, True),
        (8, True),
        (16, False),
        (12, False),
    ]


def test_a_rate_at_which_nobody_knows_is_no_rate_at_which_it_broke() -> None:
    found = highest_rate(lambda rate: True if rate <= 20 else None, 4.0)
    assert found.rate_rps == pytest.approx(20, rel=0.05)
    assert found.broke_rps is None
    assert found.unknown_rps is not None
    assert found.rate_rps < found.unknown_rps <= found.rate_rps * 1.05
    assert {probe.held for probe in found.probes} == {True, None}


def test_where_it_breaks_below_what_nobody_knows_the_border_is_known() -> None:
    found = highest_rate(lambda rate: None if rate > 15 else rate <= 10, 4.0, precision=0.02)
    assert found.broke_rps == pytest.approx(10, rel=0.02)
    assert found.unknown_rps is None


def test_one_try_of_which_nobody_knows_leaves_the_rate_unknown() -> None:
    answers = iter([True, False, None, False, False])
    found = highest_rate(lambda rate: next(answers), 4.0, precision=1)
    assert (found.rate_rps, found.broke_rps, found.unknown_rps) == (4.0, None, 8.0)


def test_where_nobody_knows_anything_nothing_is_found() -> None:
    found = highest_rate(lambda rate: None, 4.0, tries=1)
    assert (found.rate_rps, found.broke_rps) == (0.0, None)
    assert found.unknown_rps is not None
