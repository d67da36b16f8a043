"""What calls are expected to take, worked out by hand."""

from __future__ import annotations

import pytest

from deployments.router.pace import MARGIN, MOST_KEYS, CallTimes, CallUnderWay, Pace


def times_of(*calls: tuple[int, float]) -> CallTimes:
    times = CallTimes()
    for items, taken_s in calls:
        times.learn(items, taken_s)
    return times


def test_nothing_is_expected_before_anything_was_seen():
    assert CallTimes().expected_s(8) == 0


def test_calls_of_one_size_tell_what_an_item_takes():
    assert times_of((2, 0.2), (2, 0.2)).expected_s(5) == pytest.approx(0.5)


def test_calls_of_two_sizes_tell_what_a_call_takes_beside_its_items():
    times = times_of((1, 0.5), (4, 0.8), (1, 0.5), (4, 0.8))  # 0.4 s, and 0.1 s for each item
    assert [times.expected_s(items) for items in (1, 2, 8)] == pytest.approx([0.5, 0.6, 1.2])


def test_larger_calls_that_were_quicker_do_not_make_the_next_one_take_less_than_nothing():
    times = times_of((1, 0.9), (8, 0.1))
    assert times.expected_s(64) == pytest.approx(times.expected_s(1))
    assert 0.1 < times.expected_s(1) < 0.9


def test_items_that_take_more_than_their_share_leave_nothing_for_the_call_itself():
    assert times_of((1, 0.1), (2, 0.4)).expected_s(3) > 0.4


def test_what_calls_took_long_ago_is_forgotten():
    times = times_of((1, 10.0), *[(1, 0.1)] * 80)
    assert times.expected_s(1) == pytest.approx(0.1, rel=0.05)


def pace_of(*, item_s: float, way_s: float = 0.0, key: str = "m") -> Pace[str]:
    pace: Pace[str] = Pace()
    pace.learn(key, 1, taken_s=item_s, way_s=way_s)
    return pace


def under_way(*calls: tuple[int, float], key: str = "m") -> list[CallUnderWay[str]]:
    return [CallUnderWay(key=key, items=items, left_s=left_s) for items, left_s in calls]


def test_a_call_leaves_at_once_while_a_replica_has_nothing_to_do():
    pace = pace_of(item_s=1.0)
    assert pace.leave_at_s([], 1) <= 0
    assert pace.leave_at_s(under_way((5, 100.0)), 2) <= 0


def test_a_call_leaves_when_the_first_replica_is_nearly_done():
    pace = pace_of(item_s=1.0)
    assert pace.leave_at_s(under_way((4, 100.0)), 1) == pytest.approx(104 - 4 * MARGIN)
    assert pace.leave_at_s(under_way((4, 100.0), (1, 101.0)), 2) == pytest.approx(102 - 4 * MARGIN)


def test_calls_of_one_replica_are_done_one_after_another():
    pace = pace_of(item_s=1.0)
    assert pace.leave_at_s(under_way((2, 100.0), (1, 101.0)), 1) == pytest.approx(103 - 2 * MARGIN)


def test_a_call_leaves_early_enough_for_its_way():
    pace = pace_of(item_s=1.0, way_s=0.2)
    assert pace.leave_at_s(under_way((1, 100.0)), 1) == pytest.approx(100.1 + 1.0 - 0.2 - MARGIN)


def test_what_is_not_known_is_not_waited_for():
    pace = pace_of(item_s=1.0)
    assert pace.leave_at_s(under_way((1, 100.0), key="never seen"), 1) == 0


def test_a_call_with_nothing_in_it_says_nothing():
    pace: Pace[str] = Pace()
    pace.learn("m", 0, taken_s=5.0, way_s=5.0)
    assert pace.leave_at_s(under_way((1, 100.0)), 1) == 0


def test_the_speed_of_so_many_keys_is_remembered_and_no_more():
    pace = pace_of(item_s=1.0, key="first")
    for number in range(MOST_KEYS):
        pace.learn(f"m{number}", 1, taken_s=1.0, way_s=0.0)
    assert pace.leave_at_s(under_way((1, 100.0), key="first"), 1) == 0
    assert pace.leave_at_s(under_way((1, 100.0), key="m0"), 1) > 100


def pace_of_line(*, call_s: float, item_s: float, way_s: float = 0.0) -> Pace[str]:
    pace: Pace[str] = Pace()
    for items in (1, 4, 2, 8):
        pace.learn("m", items, taken_s=call_s + item_s * items, way_s=way_s)
    return pace


def test_work_is_shared_among_the_replicas_that_have_nothing_to_do():
    pace = pace_of_line(call_s=0.1, item_s=0.1)
    assert [pace.share("m", 16, free) for free in (1, 2, 3, 4)] == [16, 8, 6, 4]
    assert pace.share("m", 2, 8) == 1


def test_a_call_takes_as_long_for_its_items_as_for_itself_at_least():
    pace = pace_of_line(call_s=0.4, item_s=0.1)
    assert [pace.share("m", items, 8) for items in (3, 7, 8, 16, 17, 40)] == [3, 7, 4, 4, 5, 5]


def test_calls_that_take_the_same_whatever_is_in_them_are_not_made_smaller():
    assert pace_of_line(call_s=0.4, item_s=0.0).share("m", 16, 8) == 16


def test_work_is_not_shared_for_less_than_a_way_takes():
    assert pace_of_line(call_s=0.001, item_s=0.01, way_s=0.09).share("m", 16, 2) == 16
    assert pace_of_line(call_s=0.001, item_s=0.01, way_s=0.07).share("m", 16, 2) == 8


def test_work_of_an_unknown_speed_is_not_shared():
    assert pace_of_line(call_s=0.1, item_s=0.1).share("never seen", 16, 4) == 16
