"""How messages speak of a value: what it is, and a short glimpse of it."""

from __future__ import annotations

import reprlib
from datetime import datetime
from typing import Any

import numpy as np

from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.image import Image

_SHOWN = 80  # characters of a value that are repeated
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHOWN

_WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    ((bool, np.bool_), "a boolean"),
    ((int, np.integer), "an integer"),
    ((float, np.floating), "a float"),
    (str, "a string"),
    (bytes, "bytes"),
    ((list, tuple), "a list"),
    (dict, "a dictionary"),
    (datetime, "a timestamp"),
    (Image, "an image"),
    (Detections, "detections"),
    (Classification, "a classification"),
)


def type_in_words(value: Any) -> str:
    """What `value` is, in the words of the language's kinds."""
    return next((words for kind, words in _WORDS if isinstance(value, kind)), f"a value of type {type(value).__name__}")


def shown(value: Any) -> str:
    """A value as a message shows it: short, and without the contents of images."""
    text = _SHORT.repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
