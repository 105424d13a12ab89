"""Who the bot is, where it sends, and what `init` does where OpenTelemetry is there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import botwatch_sdk as bot
from botwatch_sdk import _limits
from botwatch_sdk._config import Config, resolve
from tests.sdk.conftest import EXIT_S, Script
from tests.sdk.sink import Sink, attributes


def test_the_resource_says_who_it_is(live: Sink) -> None:
    with bot.action("a"):
        bot.message("x")
    assert bot.flush(60)
    found = live.resources()
    assert len(found) >= 3  # spans, logs, metrics
    assert len({resource["service.instance.id"] for resource in found}) == 1
    for resource in found:
        assert resource["bot.name"] == "testbot"
        assert resource["service.name"] == "testbot"
        assert resource["service.version"] == "1.2.3"
        assert resource["bot.messages"] == "events"
        assert resource["host.name"]


def configured(environ: dict[str, str] | None = None, **given: Any) -> Config:
    return resolve(environ or {}, **({"bot": "b"} | given))


def test_an_argument_wins_over_botwatch_and_that_over_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"BOTWATCH_BOT": "env", "BOTWATCH_URL": "http://env:1", "BOTWATCH_VERSION": "2"}
    assert configured(environ, url="http://arg:1/", version="3").url == "http://arg:1"
    assert configured(environ, bot=None).bot == "env"
    assert configured(environ).version == "2"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "service")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=9,host.name=h1,team=chat,service.instance.id=pod-1")
    assert configured(bot=None).bot == "service"
    found = configured().resource().attributes
    assert (found["bot.name"], found["service.name"]) == ("b", "service")
    assert (found["service.version"], found["host.name"], found["team"]) == ("9", "h1", "chat")
    assert found["service.instance.id"] == "pod-1"
    assert configured().resource(forked=True).attributes["service.instance.id"] != "pod-1"


def test_without_a_word_it_sends_to_this_machine() -> None:
    assert configured().endpoint("traces") == "http://127.0.0.1:4318/v1/traces"


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_opentelemetrys_own_endpoints_are_left_to_it(name: str) -> None:
    assert configured({name: "http://collector:4318"}).endpoint("traces") is None
    assert configured({name: "http://collector:4318", "BOTWATCH_URL": "http://b:1"}).endpoint("logs") == (
        "http://b:1/v1/logs"
    )


def test_the_key_is_never_shown() -> None:
    assert "s3cret" not in repr(configured(key="s3cret"))
    assert configured(key="s3cret").headers == {"authorization": "Bearer s3cret"}


def test_the_key_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("s3cret\n")
    assert configured({"BOTWATCH_KEY_FILE": str(file)}).key == "s3cret"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"bot": 7}, "init(bot=…): expected a string, found int"),
        ({"url": b"x"}, "init(url=…): expected a string, found bytes"),
        ({"url": "localhost:4318"}, "url: expected something like http://127.0.0.1:4318"),
        ({"key": "two words"}, "key: expected printable ASCII without spaces"),
        ({"key": "line\nbreak"}, "key: expected printable ASCII without spaces"),
        ({"attributes": [1]}, "init(attributes=…): expected a mapping of strings, found list"),
        ({"heartbeat_s": 0}, "heartbeat_s: expected seconds between 0.1 and 3600, found 0; taking 10"),
        ({"heartbeat_s": "soon"}, "heartbeat_s: expected seconds between"),
        ({"bot": None}, "the bot has no name"),
    ],
)
def test_a_bad_value_is_told_and_passed_over(
    given: dict[str, Any], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = configured(**given)
    assert complaint in caplog.text
    assert found.bot
    assert found.heartbeat_s == 10


def test_a_key_file_that_is_not_there_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert configured({"BOTWATCH_KEY_FILE": "/nowhere/key"}).key == ""
    assert "BOTWATCH_KEY_FILE: /nowhere/key cannot be read" in caplog.text


def test_the_key_goes_along_and_no_netrc_replaces_it(script: Script, sink: Sink, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    ran = script(
        "import botwatch_sdk as bot; bot.init('b'); bot.message('x')",
        BOTWATCH_URL=sink.url,
        BOTWATCH_KEY="s3cret",
        HOME=str(tmp_path),
        HTTP_PROXY="http://127.0.0.1:9",
    )
    assert ran.stderr == ""
    assert {headers["authorization"] for headers in sink.headers} == {"Bearer s3cret"}


def test_opentelemetrys_environment_is_honoured(script: Script, sink: Sink) -> None:
    ran = script(
        "import botwatch_sdk as bot; bot.init('b'); bot.message('x')",
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=t1",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment=prod",
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(sink.records("bot.message")) == 1
    assert {(found["x-tenant"], found["content-encoding"]) for found in sink.headers} == {("t1", "gzip")}
    assert {resource["deployment.environment"] for resource in sink.resources()} == {"prod"}


def test_opentelemetrys_switch_turns_all_of_it_off(script: Script, sink: Sink) -> None:
    ran = script(
        """
        import botwatch_sdk as bot
        bot.init('b')
        with bot.turn("x") as turn:
            turn.reply("y")
        """,
        BOTWATCH_URL=sink.url,
        OTEL_SDK_DISABLED="true",
    )
    assert ran.returncode == 0
    assert "OTEL_SDK_DISABLED is true, so nothing is recorded" in ran.stderr
    assert sink.resources() == []


def test_called_again_with_the_same_it_does_nothing(live: Sink) -> None:
    from botwatch_sdk import _runtime

    before = _runtime._here.alive
    bot.init("testbot", url=live.url, version="1.2.3")
    assert _runtime._here.alive is before


def test_called_again_with_another_place_it_sends_what_waits_and_moves(
    live: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_limits, "EXIT_FLUSH_S", EXIT_S)
    other = Sink().start()
    try:
        bot.message("to the first")
        bot.init("renamed", url=other.url)
        bot.message("to the second")
        with bot.action("a"):
            pass
        assert bot.flush(60)
        assert [record.body.string_value for record in live.records()] == ["to the first"]
        assert [record.body.string_value for record in other.records()] == ["to the second"]
        assert {resource["bot.name"] for resource in other.resources()} == {"renamed"}
        assert other.latest("bot.events", bot_event_kind="out") == 1
    finally:
        bot.shutdown()
        other.stop()


def test_libraries_that_speak_opentelemetry_are_heard(script: Script, sink: Sink) -> None:
    ran = script(
        """
        import botwatch_sdk as bot
        bot.init('b')
        from opentelemetry import trace, metrics, _logs
        with bot.session("s"), trace.get_tracer("lib").start_as_current_span("GET"):
            _logs.get_logger("lib").emit(body="hello")
        metrics.get_meter("lib").create_counter("lib.calls").add(3)
        """,
        BOTWATCH_URL=sink.url,
    )
    assert ran.stderr == ""
    assert [(span.name, attributes(span.attributes)) for span in sink.spans()] == [("GET", {"session.id": "s"})]
    assert attributes(sink.records()[0].attributes) == {"session.id": "s"}
    assert sink.latest("lib.calls") == 3


FOREIGN = """
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

own = InMemorySpanExporter()
resource = Resource({"service.name": "their-service", "team": "chat"})
tracers = TracerProvider(resource=resource)
tracers.add_span_processor(SimpleSpanProcessor(own))
trace.set_tracer_provider(tracers)
_logs.set_logger_provider(LoggerProvider(resource=resource))
metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()], resource=resource))

import botwatch_sdk as bot
bot.init("b")
bot.init("b", version="2")  # again: not heard twice
with trace.get_tracer("theirs").start_as_current_span("their span"), bot.turn("hi", session="s") as turn:
    turn.reply("hello")
metrics.get_meter("theirs").create_counter("their.count").add(2)
assert trace.get_tracer_provider() is tracers
print([span.name for span in own.get_finished_spans()])
tracers.shutdown()
"""


def test_a_bot_with_opentelemetry_of_its_own_keeps_it_and_is_heard(script: Script, sink: Sink) -> None:
    ran = script(FOREIGN, BOTWATCH_URL=sink.url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "['turn', 'their span']\n"
    assert [span.name for span in sink.spans()] == ["turn", "their span"]
    assert len({span.trace_id for span in sink.spans()}) == 1
    assert len(sink.records("bot.message")) == 2
    assert sink.latest("their.count") == 2
    assert sink.latest("bot.events", bot_event_kind="in") == 1
    for resource, _ in sink.spans_by_resource():
        assert (resource["bot.name"], resource["team"], resource["bot.messages"]) == ("b", "chat", "events")
    assert len({r["service.instance.id"] for r in sink.resources() if r.get("service.version") == "2"}) == 1
