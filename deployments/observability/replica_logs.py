"""Where a replica's log lines go: one file a replica, one line a record, its fields behind the message."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_FILE_BYTES = 20 * 1024 * 1024
KEPT_FILES = 2
LOGGER = "deployments"

# What every record has; the rest is what `extra` brought.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Serve adds these to every record of a replica.
_OF_SERVE = frozenset(
    {"deployment", "replica", "component_name", "component_id", "application", "route", "skip_context_filter"}
)


class FieldFormatter(logging.Formatter):
    """`time level logger message key=value key=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback where there is one."""
        line, _, traceback = super().format(record).partition("\n")
        fields = [
            f"{key}={_shown(value)}"
            for key, value in vars(record).items()
            if key not in _STANDARD and key not in _OF_SERVE and value is not None
        ]
        return "\n".join(part for part in (" ".join([line, *fields]), traceback) if part)


def log_to_directory(directory: Path | None, role: str, replica_id: str, gpu_ids: Sequence[int | str]) -> None:
    """Send the log lines of this process to a file of its own, and begin it with who this is.

    Args:
        directory: where `<role>-<replica>.log` is made; None to write to stderr.
        role: the deployment.
        replica_id: which of its replicas.
        gpu_ids: GPUs that Ray gave this replica; several replicas may share one.
    """
    handler: logging.Handler
    if directory is None:
        handler = logging.StreamHandler()
    else:
        directory.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            directory / f"{role}-{replica_id}.log", maxBytes=MAX_FILE_BYTES, backupCount=KEPT_FILES
        )
    handler.setFormatter(FieldFormatter())
    logger = logging.getLogger(LOGGER)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.info("replica started", extra={"role": role, "replica_id": replica_id, "gpu_ids": list(gpu_ids)})


def _shown(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return repr(text) if not text or any(sign.isspace() or sign in "\"'=" for sign in text) else text
