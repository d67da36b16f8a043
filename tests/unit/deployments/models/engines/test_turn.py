from __future__ import annotations

from threading import Barrier, Event, Lock, Thread

import pytest

from deployments.models.engines.turn import computing, waiting


def test_who_has_the_turn_has_it_alone() -> None:
    turn, second_began = Lock(), Event()

    def second() -> None:
        with computing(turn):
            second_began.set()

    with computing(turn):
        thread = Thread(target=second)
        thread.start()
        assert not second_began.wait(0.05)
    thread.join()
    assert second_began.is_set()


def test_those_who_wait_for_others_do_so_together() -> None:
    turn, both_wait = Lock(), Barrier(2)

    def call() -> None:
        with computing(turn), waiting():
            both_wait.wait(10)

    threads = [Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not both_wait.broken
    assert not turn.locked()


def test_the_turn_is_had_again_after_waiting_even_after_an_error() -> None:
    turn = Lock()

    def wait_in_vain() -> None:
        with waiting():
            assert not turn.locked()
            raise TimeoutError

    with computing(turn):
        with pytest.raises(TimeoutError):
            wait_in_vain()
        assert turn.locked()
    assert not turn.locked()


def test_a_turn_knows_how_long_it_was_given_away():
    with computing(Lock()) as turn:
        assert turn.given_away_s == 0
        for _ in range(2):
            with waiting():
                Event().wait(0.02)
        assert turn.given_away_s >= 0.04


def test_without_a_turn_waiting_is_nothing() -> None:
    with waiting():
        pass
