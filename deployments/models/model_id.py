"""The grammar of model ids, and the short names some of them have."""

from __future__ import annotations

import re

from deployments.models.errors import InvalidModelIdError

ALIASES: dict[str, str] = {"yolov8n-640": "coco/3", "rfdetr-base": "coco/36"}
"""Short names that clients replace themselves before they ask; the server must do the same."""

LONGEST_ID = 200

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_MODEL_ID = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})?")


def check_model_id(model_id: str) -> None:
    """Refuse what cannot be a model id.

    Raises:
        InvalidModelIdError: not `project/version` and not a single name.
    """
    if len(model_id) > LONGEST_ID or _MODEL_ID.fullmatch(model_id) is None:
        shown = model_id if len(model_id) <= LONGEST_ID else f"{model_id[:LONGEST_ID]}..."
        raise InvalidModelIdError(
            f"{shown!r} is no model id; it must be `project/version` or one name, of letters, digits, `_`, `-` and `.`",
            shown,
        )


def canonical_model_id(text: str) -> str:
    """The id that a request means: blanks around it removed, a short name replaced.

    Raises:
        InvalidModelIdError: not `project/version` and not a single name.
    """
    model_id = text.strip()
    check_model_id(model_id)
    return ALIASES.get(model_id, model_id)
