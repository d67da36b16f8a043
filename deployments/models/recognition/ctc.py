"""Reading the output of a network that was trained with connectionist temporal classification."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def greedy_decode(
    logits: NDArray[np.float32],
    vocabulary: str,
    *,
    blank_first: bool = False,
    probabilities: bool = False,
    mean_confidence: bool = False,
) -> list[tuple[str, float]]:
    """The most likely character of each time step, repeats joined and blanks left out.

    Source: docTR 1.1, models/recognition/crnn; rapidocr 3.10, ch_ppocr_rec/utils.py (behaviour).

    Args:
        logits: (b, t, len(vocabulary) + 1) float32.
        vocabulary: characters in class order.
        blank_first: whether the blank is the first class; otherwise the last.
        probabilities: whether `logits` are probabilities already.
        mean_confidence: whether a text is as sure as its characters are on average; otherwise
            as the least certain time step, blanks included.

    Returns:
        Text and confidence of each of the b sequences; the text is empty where every step is blank.
    """
    if logits.shape[1] == 0:
        return [("", 0.0)] * len(logits)
    blank = 0 if blank_first else len(vocabulary)
    best = logits.argmax(axis=2)
    highest = logits.max(axis=2, keepdims=True)
    # Softmax of the best class alone: the others are only needed as a sum.
    certainty = highest[:, :, 0] if probabilities else 1 / np.exp(logits - highest).sum(axis=2)
    starts = np.ones(best.shape, dtype=np.bool_)
    starts[:, 1:] = best[:, 1:] != best[:, :-1]
    read: list[tuple[str, float]] = []
    for classes, certain in zip(np.where(starts, best, blank), certainty, strict=True):
        shown = classes != blank
        text = "".join(vocabulary[character - blank_first] for character in classes[shown])
        if not mean_confidence:
            read.append((text, float(certain.min())))
        else:
            read.append((text, float(certain[shown].mean()) if text else 0.0))
    return read
