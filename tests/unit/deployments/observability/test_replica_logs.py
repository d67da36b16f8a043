"""The lines of a replica's log."""

from __future__ import annotations

import logging
import sys

import pytest

from deployments.observability.logs import HTTP_CLIENT_LOGGERS, FieldsFormatter
from deployments.observability.replica_logs import LogFileHandler, log_to_directory


def record(message: str, *, error=None, **fields) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "deployments.x", "levelname": "INFO", "msg": message, "exc_info": error})
    vars(made).update(fields)
    return made


def line_of(message: str, **fields) -> str:
    return FieldsFormatter().format(record(message, **fields)).split(" ", 2)[2]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "INFO deployments.x request"),
        ({"status": 200, "path": "/info"}, "INFO deployments.x request status=200 path=/info"),
        ({"models": ["a/1", "b/2"]}, "INFO deployments.x request models=a/1,b/2"),
        ({"error": None}, "INFO deployments.x request"),
        ({"text": "two words"}, "INFO deployments.x request text='two words'"),
        ({"text": 'a="b"'}, "INFO deployments.x request text='a=\"b\"'"),
        ({"replica": "of serve"}, "INFO deployments.x request"),
    ],
)
def test_fields_stand_behind_the_message(fields, line):
    assert line_of("request", **fields) == line


def test_a_line_break_in_a_field_stays_on_the_line():
    assert "\n" not in line_of("request", path="/a\nINFO forged")


def test_a_traceback_follows_the_fields():
    try:
        int("x")
    except ValueError:
        text = FieldsFormatter().format(record("failed", error=sys.exc_info(), step="crop"))
    first, *rest = text.splitlines()
    assert first.endswith("failed step=crop")
    assert rest[-1].startswith("ValueError: invalid literal")


@pytest.fixture
def restored_logger():
    logger = logging.getLogger("deployments")
    before = logger.handlers, logger.level, logger.propagate
    levels = {name: logging.getLogger(name).level for name in HTTP_CLIENT_LOGGERS}
    yield logger
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for handler in logger.handlers:
        handler.close()
    logger.handlers, logger.level, logger.propagate = before


def test_the_file_of_a_replica_begins_with_who_it_is(tmp_path, restored_logger):
    log_to_directory(tmp_path / "logs", "text-reader", "abc", [0, 2])
    logging.getLogger("deployments.ocr").info("hello")
    first, second = (tmp_path / "logs" / "text-reader-abc.log").read_text().splitlines()
    assert "replica started role=text-reader replica_id=abc gpu_ids=0,2" in first
    assert second.endswith("INFO deployments.ocr hello")


@pytest.mark.parametrize("name", ["httpx", "httpcore", "httpcore.connection"])
def test_a_replica_logs_no_addresses_that_it_fetches(tmp_path, restored_logger, name):
    for each in HTTP_CLIENT_LOGGERS:
        logging.getLogger(each).setLevel(logging.NOTSET)
    log_to_directory(tmp_path / "logs", "router", "abc", [])
    assert logging.getLogger(name).getEffectiveLevel() == logging.WARNING


def test_a_full_file_makes_room_for_the_next_line(tmp_path):
    handler = LogFileHandler(tmp_path / "a.log", maxBytes=10, backupCount=1)
    for text in ("short", "fills it", "next", "fills it", "last"):
        handler.emit(record(text))
    handler.close()
    assert (tmp_path / "a.log").read_text() == "last\n"
    assert (tmp_path / "a.log.1").read_text() == "next\nfills it\n"
