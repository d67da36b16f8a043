import logging

import pytest

from deployments.observability.logs import HTTP_CLIENT_LOGGERS, FieldsFormatter, configure_logging


def line(**fields):
    record = logging.makeLogRecord({"name": "a.b", "levelname": "INFO", "msg": "request", **fields})
    return FieldsFormatter().format(record).split(" INFO ")[1]


def test_fields_stand_behind_the_message():
    assert line(status=200, path="/x") == "a.b request status=200 path=/x"


def test_a_line_without_fields_is_the_message_alone():
    assert line() == "a.b request"


@pytest.mark.parametrize("empty", [None, [], ""])
def test_empty_fields_are_left_out(empty):
    assert line(workflow=empty) == "a.b request"


def test_lists_are_joined():
    assert line(models=["a/1", "b/2"]) == "a.b request models=a/1,b/2"


def test_a_value_cannot_begin_a_new_line_or_field():
    assert line(path="/x\nINFO fake status=500") == r"a.b request path='/x\nINFO fake status=500'"


def test_a_field_that_clients_fill_does_not_fill_the_line():
    assert line(path="/" + "x" * 100_000) == "a.b request path=/" + "x" * 499 + "..."


@pytest.mark.parametrize("text", ["Straße", "車/1", "a-b_c~!#&(<>"])
def test_letters_of_any_alphabet_stand_as_they_are(text):
    assert line(path=text) == f"a.b request path={text}"


@pytest.mark.parametrize(
    "text", ["a=b", "it's", 'say "x"', "tab\there", "line\u2028break", "\u202eevil", "\x7f", "end\n"]
)
def test_what_could_be_taken_for_something_else_is_quoted(text):
    assert line(path=text) == f"a.b request path={text!r}"


@pytest.fixture
def restored_loggers():
    loggers = [logging.getLogger(), *map(logging.getLogger, HTTP_CLIENT_LOGGERS)]
    handlers, levels = list(loggers[0].handlers), [logger.level for logger in loggers]
    loggers[0].handlers = []  # those of the test run would be closed
    yield
    loggers[0].handlers = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_addresses_that_are_fetched_are_not_logged(restored_loggers, capsys):
    for name in HTTP_CLIENT_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    configure_logging()
    for name in ("httpx", "httpcore.http11"):
        logging.getLogger(name).info("HTTP Request: GET https://images.example.com/a.png?signature=secret")
    logging.getLogger("deployments").info("shown")
    written = capsys.readouterr().err
    assert "secret" not in written
    assert "shown" in written
