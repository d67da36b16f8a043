"""How log lines look: one line an event, its fields behind it as `key=value`."""

from __future__ import annotations

import logging
import re

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# Ray and Ray Serve put these into every record of a replica.
_OF_RAY = frozenset(
    {
        "_ray_timestamp_ns",
        "deployment",
        "replica",
        "component_name",
        "component_id",
        "application",
        "route",
        "skip_context_filter",
    }
)

MAX_FIELD_CHARACTERS = 500
"""Of each field: paths and names that clients sent stand in them."""

HTTP_CLIENT_LOGGERS = ("httpx", "httpcore")

_PLAIN = re.compile(r"[!#-&(-<>-~]*")
"""What needs no quotes: visible ASCII but for `=` and quotes. Asking each character by itself took a third of what a
request costs the ingress."""


class FieldsFormatter(logging.Formatter):
    """Time, level, logger, message, then everything that came in `extra`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        fields = (
            f"{key}={_shown(value)}"
            for key, value in record.__dict__.items()
            if key not in _STANDARD and key not in _OF_RAY and value not in (None, [], "")
        )
        return " ".join((super().formatMessage(record), *fields))


def configure_logging(level: int = logging.INFO) -> None:
    """Write all logs of this process to standard error in one form."""
    handler = logging.StreamHandler()
    handler.setFormatter(FieldsFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    keep_addresses_out()


def keep_addresses_out() -> None:
    """Have the HTTP client log no addresses: those of images may hold a signature in their query."""
    for name in HTTP_CLIENT_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _shown(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    if len(text) > MAX_FIELD_CHARACTERS:
        text = f"{text[:MAX_FIELD_CHARACTERS]}..."
    return text if _PLAIN.fullmatch(text) or _is_plain(text) else repr(text)


def _is_plain(text: str) -> bool:
    """The same for letters of other alphabets."""
    return not any(c.isspace() or not c.isprintable() or c in "='\"" for c in text)
