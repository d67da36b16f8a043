"""Reading the output of a network that was trained with connectionist temporal classification."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def greedy_decode(logits: NDArray[np.float32], vocabulary: str) -> list[tuple[str, float]]:
    """The most likely character of each time step, repeats joined and blanks left out.

    The confidence is that of the least certain time step, blanks included.
    Source: docTR 1.1, models/recognition/crnn (behaviour).

    Args:
        logits: (b, t, len(vocabulary) + 1) float32; the blank is the last class.
        vocabulary: characters in class order.

    Returns:
        Text and confidence of each of the b sequences; the text is empty where every step is blank.
    """
    if logits.shape[1] == 0:
        return [("", 0.0)] * len(logits)
    blank = len(vocabulary)
    best = logits.argmax(axis=2)
    # Softmax of the best class alone: the others are only needed as a sum.
    highest = logits.max(axis=2, keepdims=True)
    certainty = (1 / np.exp(logits - highest).sum(axis=2)).min(axis=1)
    starts = np.ones(best.shape, dtype=np.bool_)
    starts[:, 1:] = best[:, 1:] != best[:, :-1]
    read: list[tuple[str, float]] = []
    for classes, lowest in zip(np.where(starts, best, blank), certainty, strict=True):
        text = "".join(vocabulary[character] for character in classes if character != blank)
        read.append((text, float(lowest)))
    return read
