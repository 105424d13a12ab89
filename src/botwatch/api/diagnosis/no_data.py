"""Nothing arrives: nobody sends, nobody may, it comes to another port, its clock is wrong, or it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from botwatch.api.diagnosis.facts import Arrivals, SeenBot
from botwatch.api.diagnosis.finding import Finding, ago, notice, problem
from botwatch.clock import SECOND_NS
from botwatch.nouns import Refusal
from botwatch.spool import Mark

LATELY_S: Final = 900  # a refusal is of today's trouble when it came within it
STALE_S: Final = 120  # heartbeats come every ten seconds
AHEAD_S: Final = 60
FRESH_S: Final = 600  # received so lately, a bot is sending
FORGOTTEN_S: Final = 7 * 86_400  # a bot that was last heard earlier has been taken out of service
STUCK_S: Final = 120
BOTS_TOLD_MAX: Final = 20
# The doors by what they are for: the port senders use unless they are told otherwise, and how it is chosen here.
_DOORS: Final = {"otlp": ("OTLP over HTTP", 4318, "otlp_port"), "grpc": ("OTLP over gRPC", 4317, "grpc_port")}
_REMEDIES: Final = {
    Refusal.INVALID: "check that the sender's Content-Type says what it sends, and that it is OTLP",
    Refusal.TOO_LARGE: "let the sender send smaller requests: fewer items in a batch",
    Refusal.UNSUPPORTED: "send protobuf or JSON, plain, gzip, deflate or zstd",
    Refusal.FULL: "look why the engine or the disk is behind; the senders try again by themselves",
    Refusal.BAD_ID: "use an OpenTelemetry SDK: a trace id has 16 bytes and a span id 8, not all zero",
    Refusal.EMPTY_METRIC: "give each data point a value",
    Refusal.ENGINE: "look at the log for the engine's code; the bytes are kept aside in the spool",
}


def nothing_ever_came(facts: Arrivals) -> Iterator[Finding]:
    if facts.bots or _received(facts) or any(mark.refusal for mark in facts.standing.marks):
        return
    places = [f"{port} ({what})" for what, port in sorted(facts.standing.ports.items(), key=lambda item: item[1])]
    yield problem(
        "nothing_received",
        "No bot has ever sent anything here.",
        "call botwatch_sdk.init('NAME') in the bot, or set OTEL_EXPORTER_OTLP_ENDPOINT to this server; "
        "'botwatch doctor' on the bot's machine tries the way",
        listening=", ".join(places),
    )


def without_a_key(facts: Arrivals) -> Iterator[Finding]:
    refused = [mark for mark in _lately(facts) if mark.refusal is Refusal.UNAUTHORISED]
    items = sum(mark.items for mark in refused)
    none = facts.needs_key and facts.live_keys == 0
    if refused:
        since_s = min(facts.now_s - mark.last_ns // SECOND_NS for mark in refused)
        yield problem(
            "no_key",
            f"{items} requests were turned away since the start, the last {ago(since_s)} ago: "
            + ("there is no ingest key." if none else "they carried no valid ingest key."),
            ("make a key with 'botwatch key add LABEL', and set" if none else "set")
            + " BOTWATCH_KEY where the bot runs (other senders: the header 'authorization: Bearer KEY')",
            requests=items,
            keys=facts.live_keys,
        )
    elif none:
        yield notice(
            "no_key_yet",
            "Senders need an ingest key here, and there is none.",
            "make one with 'botwatch key add LABEL', or set ingest_auth to false where only trusted machines reach it",
        )


def refused(facts: Arrivals) -> Iterator[Finding]:
    """By signal and reason, and whether anything of that signal came through since."""
    for mark in _lately(facts):
        if mark.refusal in (Refusal.UNAUTHORISED, Refusal.CLOCK) or mark.refusal is None:
            continue
        everything = not any(m.signal is mark.signal and m.refusal is None for m in facts.standing.marks)
        tell = problem if everything or mark.refusal is Refusal.ENGINE else notice
        yield tell(
            "rejected",
            f"{'All' if everything else 'Some'} {mark.signal} are refused ({mark.refusal}): {mark.items} since "
            f"the start, the last {ago(facts.now_s - mark.last_ns // SECOND_NS)} ago.",
            _REMEDIES[mark.refusal],
            signal=mark.signal.value,
            reason=mark.refusal.value,
            items=mark.items,
        )


def refused_for_their_clock(facts: Arrivals) -> Iterator[Finding]:
    marks = [mark for mark in _lately(facts) if mark.refusal is Refusal.CLOCK]
    if marks:
        yield problem(
            "clock_refused",
            f"{sum(mark.items for mark in marks)} items were refused for their time: older than such data is kept, "
            "or more than a day ahead.",
            "set the sender's clock (chronyd or systemd-timesyncd), and send nanoseconds since 1970 in UTC",
            signals=", ".join(sorted(mark.signal for mark in marks)),
        )


def wrong_clocks(facts: Arrivals) -> Iterator[Finding]:
    """What arrives now and says it is of another time is drawn where nobody looks."""
    for bot in facts.bots:
        off_s = None if bot.received_s is None else bot.last_s - bot.received_s
        if off_s is None or not _sends(facts, bot) or -STALE_S < off_s < AHEAD_S:
            continue
        yield problem(
            "clock_ahead" if off_s > 0 else "clock_behind",
            f"What {bot.name} sends now is dated {ago(abs(off_s))} {'ahead' if off_s > 0 else 'back'}.",
            "set the clock of its machine (chronyd or systemd-timesyncd); what was sent stays where it says it belongs",
            {"bot": bot.name},
            seconds=off_s,
        )


def gone_silent(facts: Arrivals) -> Iterator[Finding]:
    silent = [
        bot
        for bot in facts.bots
        if STALE_S <= facts.now_s - bot.last_s < FORGOTTEN_S
        and bot.received_s is not None
        and facts.now_s - bot.received_s >= STALE_S
    ]
    for bot in sorted(silent, key=lambda bot: -bot.last_s)[:BOTS_TOLD_MAX]:
        told = f"Nothing has come from {bot.name} for {ago(facts.now_s - bot.last_s)}"
        yield (problem if bot.beats else notice)(
            "bot_silent",
            f"{told}, not even its heartbeat." if bot.beats else f"{told}; it sends no heartbeat, so it may be idle.",
            "look whether its process runs and reaches this server: 'botwatch doctor' on its machine tries the way",
            {"bot": bot.name},
            last_seen_s=bot.last_s,
        )


def closed_doors(facts: Arrivals) -> Iterator[Finding]:
    for door, (what, usual, setting) in _DOORS.items():
        port = facts.standing.ports.get(door)
        web = facts.standing.ports.get("web")
        if port is None:
            yield problem(
                "port_taken",
                f"This server does not listen for {what}: another program had the port when it started.",
                f"stop that program (port {usual} unless {setting} says otherwise) and start again"
                + (f", or let senders use port {web}" if door == "otlp" and web else ""),
            )
        elif port != usual and not _received(facts):
            yield notice(
                "port_differs",
                f"{what} is taken on port {port}; senders use {usual} unless they are told otherwise.",
                f"set BOTWATCH_URL or OTEL_EXPORTER_OTLP_ENDPOINT to port {port} where the bots run",
                port=port,
            )


def behind_the_door(facts: Arrivals) -> Iterator[Finding]:
    standing = facts.standing
    if standing.away_since_ns is not None:
        yield problem(
            "store_away",
            f"Nothing has been stored for {ago((facts.now_ns - standing.away_since_ns) / SECOND_NS)}: "
            f"{standing.away_why}. What comes waits in the spool.",
            "see to what it says: the disk, the server behind the setting 'store', or the code in the engine's own log",
        )
    elif standing.replaying:
        yield notice(
            "replaying",
            "It is writing what an earlier run left in the spool; newer data follows.",
            "wait until it is done",
        )
    elif standing.spool_oldest_ns and facts.now_ns - standing.spool_oldest_ns > STUCK_S * SECOND_NS:
        yield problem(
            "store_behind",
            f"What came {ago((facts.now_ns - standing.spool_oldest_ns) / SECOND_NS)} ago is still in the spool.",
            "give the engine more of the machine, or send less: the measures lag by as much",
        )
    if standing.spool_trouble:
        yield problem(
            "spool_cannot_write", "The spool cannot write to its disk, so nothing is taken.", "free some of the disk"
        )
    if standing.disk_nearly_full:
        yield problem(
            "disk_nearly_full",
            "The disk is nearly full, so nothing new is taken in.",
            "free some of the disk the data folder is on, or lower the setting disk_free_bytes_min",
        )


def no_agent(facts: Arrivals) -> Iterator[Finding]:
    """Machines on which bots run and of which nobody tells CPU, memory and disk."""
    for host in facts.hosts:
        if host.bot_s is None or facts.now_s - host.bot_s > FRESH_S:
            continue
        if host.measured_s is not None and facts.now_s - host.measured_s <= STALE_S:
            continue
        since = "never told" if host.measured_s is None else f"not told for {ago(facts.now_s - host.measured_s)}"
        yield notice(
            "no_agent",
            f"Bots run on {host.name}, but its CPU, memory and disk were {since}.",
            "run 'botwatch agent' on it"
            + ("" if facts.watches_itself else ", or set watch_host to true if it is the server's own machine"),
            {"host": host.name},
        )


FINDERS: Final = (
    nothing_ever_came,
    without_a_key,
    refused,
    refused_for_their_clock,
    wrong_clocks,
    gone_silent,
    closed_doors,
    behind_the_door,
    no_agent,
)


def _received(facts: Arrivals) -> bool:
    return any(mark.refusal is None for mark in facts.standing.marks) or bool(facts.bots)


def _lately(facts: Arrivals) -> list[Mark]:
    return [m for m in facts.standing.marks if m.refusal and facts.now_ns - m.last_ns <= LATELY_S * SECOND_NS]


def _sends(facts: Arrivals, bot: SeenBot) -> bool:
    return bot.received_s is not None and facts.now_s - bot.received_s <= FRESH_S
