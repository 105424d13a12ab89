"""What a bot's author meets first: the names, the five lines, the size."""

from __future__ import annotations

import tomllib
from pathlib import Path

import botwatch_sdk
from botwatch_sdk import testing
from tests.sdk.conftest import Script
from tests.sdk.sink import Sink, attributes

SDK = Path(__file__).parents[2] / "sdk"

FIVE_LINES = """
import botwatch_sdk as bot
bot.init("helpdesk")
with bot.turn("where is my parcel?", session=4711) as turn:
    turn.reply("it arrives today")
"""


def test_these_names_are_public_and_no_others() -> None:
    assert sorted(botwatch_sdk.__all__) == [
        "Action",
        "Breaker",
        "BreakerOpen",
        "Correlation",
        "Current",
        "Expectation",
        "Health",
        "LogFilter",
        "LogHandler",
        "Session",
        "Socket",
        "StructlogProcessor",
        "Turn",
        "__version__",
        "action",
        "breaker",
        "checked",
        "correlation",
        "current",
        "end_session",
        "expect",
        "extract",
        "feedback",
        "flush",
        "handoff",
        "health",
        "init",
        "inject",
        "instrument",
        "message",
        "met",
        "payload",
        "queue",
        "session",
        "shutdown",
        "socket",
        "state",
        "turn",
    ]
    assert all(hasattr(botwatch_sdk, name) for name in botwatch_sdk.__all__)
    found = {name for name in vars(botwatch_sdk) if not name.startswith("_")}
    assert found - {"annotations", "testing"} == {name for name in botwatch_sdk.__all__ if name[0] != "_"}


def test_the_testing_module_exports_what_it_says() -> None:
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_the_package_is_typed_and_knows_its_version() -> None:
    file = tomllib.loads((SDK / "pyproject.toml").read_text(encoding="utf-8"))
    assert file["project"]["version"] == botwatch_sdk.__version__
    assert (SDK / "src/botwatch_sdk/py.typed").exists()


def test_it_brings_nothing_heavy_and_knows_the_server_only_by_http(script: Script) -> None:
    ran = script("""
        import sys
        import botwatch_sdk, botwatch_sdk.testing
        heavy = {"botwatch", "chdb", "pandas", "numpy", "pyarrow", "pydantic", "structlog", "grpc", "sqlalchemy"}
        print(sorted(heavy & set(sys.modules)))
    """)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


def test_five_lines_give_a_bot_its_process_metrics_and_its_messages_by_status(script: Script, sink: Sink) -> None:
    assert len(FIVE_LINES.strip().splitlines()) <= 5
    ran = script(FIVE_LINES, BOTWATCH_URL=sink.url)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")

    assert (sink.latest("process.memory.usage") or 0) > 1_000_000
    assert (sink.latest("process.uptime") or 0) > 0
    assert sink.latest("process.open_connections") is not None
    assert sink.latest("bot.events", bot_event_kind="in") == 1
    assert sink.latest("bot.events", bot_event_kind="out") == 1
    assert sink.latest("bot.events", bot_event_kind="error") == 0

    said, answered = (attributes(record.attributes) for record in sink.records("bot.message"))
    assert (said["bot.message.direction"], said["session.id"]) == ("in", "4711")
    assert answered["bot.message.reply_to"] == said["bot.message.id"]
    (span,) = sink.spans()
    assert attributes(span.attributes)["bot.action"] == "turn"
    assert {resource["bot.name"] for resource in sink.resources()} == {"helpdesk"}


def test_a_bot_that_only_calls_init_has_its_process_metrics(script: Script, sink: Sink) -> None:
    script("import botwatch_sdk as bot; bot.init('idle')", BOTWATCH_URL=sink.url)
    kinds = {said["bot.event.kind"]: number for said, number in sink.points("bot.events")}
    assert kinds == {"in": 0, "out": 0, "warning": 0, "error": 0}
    assert {said["reason"] for said, _ in sink.points("bot.sdk.dropped")} >= {"queue_full", "refused"}
