"""What the bot logs is sent with its conversation; warnings and errors are counted, an exception once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

import botwatch_sdk as bot
from botwatch_sdk import _limits
from botwatch_sdk.testing import Seen
from tests.sdk.sink import Sink, attributes, until


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("shop.orders")
    handler = bot.LogHandler()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)
    logger.propagate = True


def test_a_record_arrives_with_its_fields_and_its_conversation(seen: Seen, logger: logging.Logger) -> None:
    with bot.session("s", user=7), bot.correlation("c-1"), bot.action("book"):
        logger.info("slow %s", "answer", extra={"status_code": 429, "retry_after_ms": 1500, "event.name": "slow"})
    (log,) = seen.logs
    assert (log.level, log.text) == ("INFO", "slow answer")
    assert dict(log.attributes) == {
        "session.id": "s",
        "user.id": "7",
        "correlation_id": "c-1",
        "logger": "shop.orders",
        "status_code": 429,
        "retry_after_ms": 1500,
        "event.name": "slow",
    }
    record = seen._captured.logs.items[0].log_record
    span = seen.spans[0].context
    assert span is not None
    assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)


def test_a_correlation_id_of_the_bots_own_wins(seen: Seen, logger: logging.Logger) -> None:
    with bot.correlation("ours"):
        logger.info("x", extra={"correlation_id": "theirs", "session_id": 12, "user_id": "", "channel": "web"})
    assert dict(seen.logs[0].attributes) == {
        "correlation_id": "theirs",
        "session.id": "12",
        "bot.channel": "web",
        "logger": "shop.orders",
    }


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (5, "TRACE"),
        (10, "DEBUG"),
        (20, "INFO"),
        (25, "INFO"),
        (30, "WARN"),
        (40, "ERROR"),
        (50, "FATAL"),
        (60, "FATAL"),
    ],
)
def test_levels_become_severities(seen: Seen, logger: logging.Logger, level: int, severity: str) -> None:
    logger.setLevel(1)
    logger.log(level, "x")
    found = seen._captured.logs.items[0].log_record.severity_number
    assert found is not None
    assert found.name == severity


def test_warnings_and_errors_are_counted(seen: Seen, logger: logging.Logger) -> None:
    for level in (logging.INFO, logging.WARNING, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, "x")
    assert dict(seen.counts) == {"in": 0, "out": 0, "warning": 2, "error": 2}


def test_a_logged_exception_is_an_exception_event(seen: Seen, logger: logging.Logger) -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logger.exception("could not divide")
    (event,) = seen.events
    assert (event.name, event.body) == ("exception", "could not divide")
    assert event.attributes["exception.type"] == "ZeroDivisionError"
    assert "_ = 1 / 0" in event.attributes["exception.stacktrace"]


def test_an_exception_that_a_span_told_is_not_told_again_by_a_log(seen: Seen, logger: logging.Logger) -> None:
    try:
        with bot.action("book"):
            raise ValueError("no")
    except ValueError:
        logger.exception("booking failed")
    assert [event.name for event in seen.events] == []
    assert seen.logs[0].attributes["exception.type"] == "ValueError"
    assert seen.counts["error"] == 1


def test_fields_of_any_kind_are_sent_or_said_as_text(seen: Seen, logger: logging.Logger) -> None:
    logger.info("x", extra={"big": 2**70, "object": ValueError("v"), "list": [1, {"a": (2,)}], "none": None, "f": 1.5})
    found = seen.logs[0].attributes
    assert (found["big"], found["object"], found["f"]) == (str(2**70), "v", 1.5)
    assert found["list"] == (1, {"a": (2,)})


def test_a_huge_structure_costs_a_bounded_time(seen: Seen, logger: logging.Logger) -> None:
    nested: Any = "x"
    for _ in range(6):
        nested = [nested] * 50
    logger.info("x", extra={"nested": nested} | {f"field{n}": n for n in range(500)})
    assert len(seen.logs[0].attributes) <= _limits.LOG_FIELDS_MAX + 1


def record(message: object, *args: object) -> logging.LogRecord:
    return logging.LogRecord("shop", logging.WARNING, __file__, 1, message, args, None)


def test_a_message_that_does_not_fit_its_arguments_is_sent_as_it_stands(seen: Seen) -> None:
    bot.LogHandler().handle(record("%d apples", "no"))
    assert seen.logs[0].text == "%d apples"


def test_the_filter_names_the_ids_for_the_bots_own_format(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("shop.format")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(correlation_id)s|%(session_id)s|%(trace_id)s|%(span_id)s|%(message)s"))
    handler.addFilter(bot.LogFilter())
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with bot.session("s"), bot.correlation("c"), bot.action("a"):
            here = bot.current()
            logger.warning("in")
        logger.warning("out")
    finally:
        logger.removeHandler(handler)
    assert capsys.readouterr().err == f"c|s|{here.trace}|{here.span}|in\n||||out\n"
    assert len(here.trace) == 32


@pytest.fixture
def structured() -> Iterator[list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []

    def keep(_: object, __: str, event: Any) -> Any:
        lines.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.stdlib.add_log_level, bot.StructlogProcessor(), keep])
    yield lines
    structlog.reset_defaults()


def test_structlog_events_get_the_ids_and_are_sent(seen: Seen, structured: list[dict[str, Any]]) -> None:
    with bot.session("s"), bot.correlation("c"):
        structlog.get_logger().warning("rate limited", status_code=429)
    structlog.get_logger().info("alone")
    assert structured == [
        {
            "event": "rate limited",
            "level": "warning",
            "status_code": 429,
            "correlation_id": "c",
            "session_id": "s",
        },
        {"event": "alone", "level": "info"},
    ]
    first, second = seen.logs
    assert (first.level, first.text, second.level) == ("WARNING", "rate limited", "INFO")
    assert dict(first.attributes) == {"session.id": "s", "correlation_id": "c", "status_code": 429}
    assert seen.counts["warning"] == 1


def test_structlog_exceptions_in_each_of_their_forms(seen: Seen, structured: list[dict[str, Any]]) -> None:
    log = structlog.get_logger()
    for number, form in enumerate(("true", "tuple", "object")):
        try:
            raise ValueError(number)
        except ValueError as error:
            info: Any = {"true": True, "tuple": (type(error), error, error.__traceback__), "object": error}[form]
            log.error("failed", exc_info=info)
    assert [event.attributes["exception.message"] for event in seen.events] == ["0", "1", "2"]
    assert seen.counts["error"] == 3


def test_a_structlog_that_writes_through_logging_is_sent_once(seen: Seen, logger: logging.Logger) -> None:
    structlog.configure(
        processors=[bot.StructlogProcessor(ship=False), structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    try:
        with bot.correlation("c"):
            structlog.get_logger("shop.orders").info("hello", n=1)
    finally:
        structlog.reset_defaults()
    (log,) = seen.logs
    assert log.text == "hello"
    assert dict(log.attributes) == {"correlation_id": "c", "n": 1, "logger": "shop.orders"}


def test_what_the_sdk_itself_logs_while_sending_is_not_sent(live: Sink, logger: logging.Logger) -> None:
    """With a handler at the root and everything at DEBUG, sending must not make more to send."""
    root = logging.getLogger()
    handler = bot.LogHandler()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        logger.info("one")
        bot.flush(60)
        bot.flush(60)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    until(lambda: bool(live.records()))
    assert [record.body.string_value for record in live.records()] == ["one"]


def test_a_handler_that_logs_inside_of_itself_does_not_loop(seen: Seen, logger: logging.Logger) -> None:
    class Loud:
        def __str__(self) -> str:
            logger.warning("asked for my text")
            return "loud"

    bot.LogHandler().handle(record(Loud()))
    assert [log.text for log in seen.logs] == ["loud"]


def test_a_log_arrives_over_the_wire(live: Sink, logger: logging.Logger) -> None:
    with bot.session("s"):
        logger.error("kaputt", extra={"code": 7})
    assert bot.flush(60)
    (record,) = live.records()
    assert (record.body.string_value, record.severity_text, record.event_name) == ("kaputt", "ERROR", "")
    assert attributes(record.attributes) == {"session.id": "s", "code": 7, "logger": "shop.orders"}
