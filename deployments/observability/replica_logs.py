"""Where a replica's log lines go: one file a replica."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from deployments.observability.logs import FieldsFormatter, keep_addresses_out

MAX_FILE_BYTES = 20 * 1024 * 1024
KEPT_FILES = 2
LOGGER = "deployments"


class LogFileHandler(RotatingFileHandler):
    """Begins a new file behind the line that filled the old one.

    The standard library's own question, whether the next line still fits, writes that line a first time to see.
    """

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Whether the file is full."""
        return self.stream is not None and os.fstat(self.stream.fileno()).st_size >= self.maxBytes


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
        path = directory / f"{role}-{replica_id}.log"
        handler = LogFileHandler(path, maxBytes=MAX_FILE_BYTES, backupCount=KEPT_FILES)
    handler.setFormatter(FieldsFormatter())
    logger = logging.getLogger(LOGGER)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    keep_addresses_out()
    logger.info("replica started", extra={"role": role, "replica_id": replica_id, "gpu_ids": list(gpu_ids)})
