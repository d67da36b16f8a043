from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from deployments.models.recognition.ctc import greedy_decode

VOCABULARY = "AB0"
BLANK = 3


def logits(*steps: int, certainties: list[float] | None = None) -> NDArray[np.float32]:
    """(1, t, 4): the class of each step, with a probability of 0.97 unless given."""
    rows = []
    for step, certainty in zip(steps, certainties or [0.97] * len(steps), strict=True):
        probabilities = np.full(4, (1 - certainty) / 3)
        probabilities[step] = certainty
        rows.append(np.log(probabilities))
    return np.array([rows], dtype=np.float32)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((0, 1, 2), "AB0"),
        ((0, 0, 0), "A"),
        ((0, BLANK, 0), "AA"),
        ((BLANK, 0, 0, BLANK, BLANK, 0, 1, 1, BLANK), "AAB"),
        ((BLANK, BLANK), ""),
        ((0, 1, 0), "ABA"),
        ((2,), "0"),
    ],
)
def test_repeats_are_joined_and_blanks_left_out(steps: tuple[int, ...], text: str) -> None:
    assert greedy_decode(logits(*steps), VOCABULARY)[0][0] == text


def test_the_confidence_is_that_of_the_least_certain_step_blanks_included() -> None:
    [(text, confidence)] = greedy_decode(logits(0, BLANK, 1, certainties=[0.9, 0.6, 0.8]), VOCABULARY)
    assert text == "AB"
    assert confidence == pytest.approx(0.6, abs=1e-6)


def test_each_sequence_of_a_batch_is_read_for_itself() -> None:
    batch = np.concatenate([logits(0, 0), logits(1, 2)])
    assert [text for text, _ in greedy_decode(batch, VOCABULARY)] == ["A", "B0"]


def test_large_logits_do_not_overflow() -> None:
    [(text, confidence)] = greedy_decode(np.array([[[5000, 0, 0, 0]]], dtype=np.float32), VOCABULARY)
    assert (text, confidence) == ("A", 1.0)


def test_an_empty_batch_has_an_empty_answer() -> None:
    assert greedy_decode(np.zeros((0, 5, 4), dtype=np.float32), VOCABULARY) == []


def test_no_time_steps_are_no_text() -> None:
    assert greedy_decode(np.zeros((2, 0, 4), dtype=np.float32), VOCABULARY) == [("", 0.0), ("", 0.0)]


def test_the_blank_may_be_the_first_class() -> None:
    # classes are now: blank, A, B, 0
    batch = logits(1, 0, 1, 3, 3)
    assert [text for text, _ in greedy_decode(batch, VOCABULARY, blank_first=True)] == ["AA0"]


def test_probabilities_are_taken_as_they_are() -> None:
    probabilities = np.exp(logits(0, BLANK, certainties=[0.9, 0.6]))
    [(text, confidence)] = greedy_decode(probabilities, VOCABULARY, probabilities=True)
    assert (text, confidence) == ("A", pytest.approx(0.6))


def test_the_mean_confidence_is_that_of_the_steps_that_show_a_character_for_the_first_time() -> None:
    batch = logits(0, 0, BLANK, 1, certainties=[0.9, 0.5, 0.4, 0.7])
    [(text, confidence)] = greedy_decode(batch, VOCABULARY, mean_confidence=True)
    assert (text, confidence) == ("AB", pytest.approx(0.8))


def test_a_sequence_of_blanks_has_no_mean_confidence() -> None:
    assert greedy_decode(logits(BLANK, BLANK), VOCABULARY, mean_confidence=True) == [("", 0.0)]
