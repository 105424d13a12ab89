"""The day that was written must hold together: every table tells the same story as the others."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping

import pytest

from botwatch.clock import ManualClock
from botwatch.demo.history import history, is_empty
from botwatch.errors import SettingError
from botwatch.nouns import Parcel, Receipt, Signal
from botwatch.spool import Counts
from botwatch.store.client import Store
from botwatch.turns import Settler, Terms
from tests.demo.conftest import DAY_NS, NOW_NS, SETTINGS, Past

_FROM = "fromUnixTimestamp64Nano({from:Int64}, 'UTC')"
_TO = "fromUnixTimestamp64Nano({to:Int64}, 'UTC')"


class TestVolume:
    def test_a_day_has_as_much_as_a_small_fleet_says(
        self, past: Past, record_property: Callable[[str, object], None]
    ) -> None:
        record_property("history_s", past.took_s)
        counts = {
            table: past.one(f"SELECT count() FROM {table}") for table in ("messages", "spans", "sessions", "payloads")
        }
        assert 20_000 < counts["messages"] < 45_000, counts
        assert 90_000 < counts["spans"] < 200_000, counts
        assert counts["payloads"] > 3_000, counts

    @pytest.mark.parametrize(
        ("table", "at"), [("spans", "start"), ("logs", "at"), ("points", "at"), ("messages", "at"), ("turns", "asked")]
    )
    def test_it_begins_a_day_ago_and_ends_now(self, past: Past, table: str, at: str) -> None:
        ((first, last),) = past.rows(
            f"SELECT toUnixTimestamp64Nano(toDateTime64(min({at}), 9)), "
            f"toUnixTimestamp64Nano(toDateTime64(max({at}), 9)) FROM {table}"
        )
        assert NOW_NS - DAY_NS <= first < NOW_NS - DAY_NS + 600 * 10**9
        assert NOW_NS - 120 * 10**9 < last < NOW_NS

    def test_nothing_ends_after_now(self, past: Past) -> None:
        ends = "toUnixTimestamp64Nano(start) + duration_ns"
        assert past.one(f"SELECT max({ends}) FROM spans") < NOW_NS

    def test_the_night_is_quieter_than_the_day(self, past: Past) -> None:
        by_hour = dict(past.rows("SELECT toHour(at, 'Europe/Zurich') AS hour, count() FROM messages GROUP BY hour"))
        assert len(by_hour) == 24
        assert min(by_hour[hour] for hour in (9, 10, 11, 13, 14)) > 2.5 * max(by_hour[hour] for hour in (0, 2, 3, 4))

    def test_the_tables_it_was_made_from_are_gone(self, past: Past) -> None:
        assert (
            past.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'demo%'") == []
        )


class TestTurns:
    def test_every_answer_is_a_message(self, past: Past) -> None:
        assert (
            past.one(
                "SELECT count() FROM turns WHERE answered IS NOT NULL AND (session_id, answered, answered_by) NOT IN "
                "(SELECT session_id, at, author FROM messages WHERE direction = 'out')"
            )
            == 0
        )

    def test_every_inbound_message_has_its_turn_and_no_other_has_one(self, past: Past) -> None:
        asked = "SELECT session_id, at, message_id, trace_id FROM messages WHERE direction = 'in'"
        settled = "SELECT session_id, asked, message_id, trace_id FROM turns"
        assert (
            past.one(
                f"SELECT count() FROM ({settled}) WHERE (session_id, asked, message_id, trace_id) NOT IN ({asked})"
            )
            == 0
        )
        open_turns = past.rows(
            f"SELECT at FROM ({asked}) WHERE (session_id, at, message_id, trace_id) NOT IN ({settled})"
        )
        deadline_ns = SETTINGS.turn_deadline_seconds * 10**9
        assert all(at.timestamp() * 1e9 > NOW_NS - deadline_ns - 4e9 * 3_600 for (at,) in open_turns)
        assert len(open_turns) < 3

    def test_every_outcome_happens(self, past: Past) -> None:
        found = dict(past.rows("SELECT toString(outcome), count() FROM turns GROUP BY outcome"))
        assert set(found) == {"answered", "handed_off", "failed", "unanswered"}
        assert found["answered"] > 20 * (found["failed"] + found["unanswered"])

    def test_some_answers_come_late_and_some_from_people(self, past: Past) -> None:
        late = "answered > asked + INTERVAL 60 SECOND AND answered_by = 'bot'"
        assert past.one(f"SELECT countIf({late}) FROM turns") > 5
        assert past.one("SELECT countIf(answered_by = 'agent') FROM turns") > 100

    def test_the_settler_has_nothing_to_settle(self, past: Past) -> None:
        whole = NOW_NS // 60_000_000_000 * 60
        before = past.rows("SELECT * FROM concurrency FINAL ORDER BY ALL")
        spool = _Spool()
        settler = Settler(past.store, spool, ManualClock(NOW_NS), Terms.of(SETTINGS))
        report = asyncio.run(settler.run_once(NOW_NS + 2 * 10**9))
        assert (report.turns, report.corrected, spool.parcels) == (0, 0, [])
        assert report.minutes >= 24 * 60 - 1
        after = past.rows(
            "SELECT * FROM concurrency FINAL WHERE minute < toDateTime({whole:Int64}) ORDER BY ALL", whole=whole
        )
        assert after == [row for row in before if row[0].timestamp() < whole]

    def test_more_are_active_by_day(self, past: Past) -> None:
        peak = "SELECT max(peak) FROM concurrency WHERE bot = '' AND channel = '' AND toHour(minute, 'Europe/Zurich')"
        assert past.one(f"{peak} BETWEEN 9 AND 17") > 2 * past.one(f"{peak} BETWEEN 1 AND 4") > 0


class _Spool:
    """What the settler needs, with nothing in it."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self._meta: dict[str, str] = {}

    async def put(self, parcel: Parcel) -> Receipt:
        self.parcels.append(parcel)
        return Receipt(duplicate=False)

    def stored_through_ns(self, now_ns: int) -> int:
        return now_ns

    def intake(self) -> Mapping[Signal, Counts]:
        return {Signal.TURNS: Counts()}

    def meta_get(self, key: str) -> str | None:
        return self._meta.get(key)

    def meta_set(self, key: str, value: str) -> None:
        self._meta[key] = value


class TestRollups:
    @pytest.mark.parametrize("ticks", ["ticks_10s", "ticks_5m", "ticks_1h"])
    @pytest.mark.parametrize(
        ("kind", "raw"),
        [
            ("message", "SELECT bot, toString(author), toString(direction), count(), 0 FROM messages GROUP BY ALL"),
            ("turn", "SELECT bot, answered_by, toString(outcome), count(), 0 FROM turns FINAL GROUP BY ALL"),
            (
                "action",
                "SELECT bot, action, '', count(), countIf(status = 'error') FROM spans WHERE action != '' GROUP BY ALL",
            ),
            (
                "dependency",
                "SELECT bot, dependency, '', count(), countIf(status = 'error') FROM spans "
                "WHERE dependency != '' GROUP BY ALL",
            ),
            (
                "model",
                "SELECT bot, model, provider, count(), countIf(status = 'error') FROM spans "
                "WHERE model != '' GROUP BY ALL",
            ),
            ("log", "SELECT bot, event, level, count(), countIf(severity >= 17) FROM logs GROUP BY ALL"),
            ("payload", "SELECT bot, source, '', count(), 0 FROM payloads GROUP BY ALL"),
            ("point", "SELECT bot, metric, kind, count(), 0 FROM points GROUP BY ALL"),
        ],
    )
    def test_they_agree_with_what_was_sent(self, past: Past, ticks: str, kind: str, raw: str) -> None:
        counted = past.rows(
            f"SELECT bot, name, detail, sum(count), sum(errors) FROM {ticks} "
            "WHERE kind = {kind:String} AND detail != 'birth' GROUP BY ALL",
            kind=kind,
        )
        assert len(counted) > 0
        assert sorted(counted) == sorted(past.rows(raw))

    def test_sessions_count_their_messages_and_spans(self, past: Past) -> None:
        counted = past.rows(
            "SELECT session_id, sum(messages_in), sum(messages_out), sum(spans) FROM sessions GROUP BY ALL ORDER BY 1"
        )
        said = {
            row[0]: row[1:]
            for row in past.rows(
                "SELECT session_id, countIf(direction = 'in'), countIf(direction = 'out') "
                "FROM messages GROUP BY session_id"
            )
        }
        made = dict(past.rows("SELECT session_id, count() FROM spans WHERE session_id != '' GROUP BY session_id"))
        assert counted == [(name, *said[name], made[name]) for name in sorted(said)]

    def test_sessions_know_how_they_ended(self, past: Past) -> None:
        outcome = "attributes['bot.session.outcome']"
        ends = f"SELECT session_id, {outcome} FROM events WHERE event = 'bot.session.end' ORDER BY ALL"
        known = "SELECT session_id, max(outcome) AS o FROM sessions GROUP BY session_id HAVING o != '' ORDER BY ALL"
        assert past.rows(known) == past.rows(ends)
        outcomes = {row[1] for row in past.rows(known)}
        assert outcomes == {"completed", "handed_off", "abandoned"}

    def test_the_bot_whose_documents_changed_was_deployed_at_that_moment(self, past: Past) -> None:
        versions = past.rows(
            "SELECT version, min(first_seen), max(last_seen) FROM runs WHERE bot = 'triage' "
            "GROUP BY version ORDER BY version"
        )
        (_, _, old_until), (_, new_since, _) = versions
        moved = past.one("SELECT min(at) FROM payloads WHERE JSONHas(document, 'details', 'topic')")
        assert old_until < new_since <= moved
        assert past.one("SELECT uniqExact(version) FROM runs WHERE bot != 'triage'") == 1

    def test_what_a_bot_counted_is_what_it_sent(self, past: Past) -> None:
        last = past.rows(
            "SELECT p.bot, s.labels['bot.event.kind'] AS kind, "
            "JSONExtractString(toString(any(s.resource)), 'service.instance.id') AS instance, "
            "argMax(p.value, p.at), max(p.at), argMax(p.start, p.at) "
            "FROM points AS p INNER JOIN series AS s ON s.series = p.series "
            "WHERE p.metric = 'bot.events' GROUP BY p.bot, kind, p.series"
        )
        assert len(last) == 7 * 4  # six processes, one of them replaced by another version
        for bot, kind, instance, value, at, start in last:
            if kind in ("in", "out"):
                sent = past.one(
                    "SELECT count() FROM logs WHERE event = 'bot.message' AND bot = {bot:String} "
                    "AND instance = {instance:String} AND attributes['bot.message.direction'] = {kind:String} "
                    "AND at <= {at:DateTime64(9)} AND at >= {start:DateTime64(9)}",
                    bot=bot, kind=kind, instance=instance, at=at, start=start,
                )  # fmt: skip
                assert value == sent, (bot, kind, instance)


class TestTraces:
    def test_each_has_one_root_and_no_span_without_its_parent(self, past: Past) -> None:
        none = "toFixedString('', 8)"
        assert (
            past.one(
                "SELECT count() FROM (SELECT trace_id FROM spans GROUP BY trace_id "
                f"HAVING countIf(parent_span_id = {none}) != 1)"
            )
            == 0
        )
        orphans = (
            f"SELECT count() FROM spans WHERE parent_span_id != {none} "
            "AND (trace_id, parent_span_id) NOT IN (SELECT trace_id, span_id FROM spans)"
        )
        assert past.one(orphans) == 0
        assert past.one("SELECT count() - uniqExact(trace_id, span_id) FROM spans") == 0

    def test_a_span_lies_within_its_parent(self, past: Past) -> None:
        assert (
            past.one(
                "SELECT count() FROM spans AS c "
                "INNER JOIN spans AS p ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id "
                "WHERE c.start < p.start "
                "OR addNanoseconds(c.start, c.duration_ns) > addNanoseconds(p.start, p.duration_ns)"
            )
            == 0
        )

    def test_logs_and_messages_point_into_their_trace(self, past: Past) -> None:
        linked = "trace_id != toFixedString('', 16)"
        assert past.one(f"SELECT countIf({linked}) FROM logs") > 50_000
        assert (
            past.one(
                f"SELECT count() FROM logs WHERE {linked} "
                "AND (trace_id, span_id, session_id, bot, host, instance) NOT IN "
                "(SELECT trace_id, span_id, session_id, bot, host, instance FROM spans)"
            )
            == 0
        )

    def test_a_failed_call_fails_the_action_around_it(self, past: Past) -> None:
        broken = past.rows(
            "SELECT p.status, p.failure, c.failure, p.`events.name`, c.`events.name` FROM spans AS c "
            "INNER JOIN spans AS p ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id "
            "WHERE c.kind = 'client' AND c.status = 'error'"
        )
        assert len(broken) > 50
        assert all(row == ("error", row[1], row[1], ["exception"], []) for row in broken)

    def test_models_say_what_they_used(self, past: Past) -> None:
        used = past.rows(
            "SELECT model, provider, min(tokens_in), min(tokens_out) FROM spans "
            "WHERE model != '' AND status != 'error' GROUP BY ALL"
        )
        assert {row[:2] for row in used} == {
            ("gpt-4o-mini", "openai"), ("gpt-4.1-mini", "openai"),
            ("claude-haiku-4-5", "anthropic"), ("claude-sonnet-4-5", "anthropic"),
        }  # fmt: skip
        assert all(low_in > 20 and low_out > 3 for *_, low_in, low_out in used)


class TestPeople:
    def test_nobody_in_it_can_be_real(self, past: Past) -> None:
        users = [user for (user,) in past.rows("SELECT DISTINCT user_id FROM messages")]
        assert len(users) > 500
        fictional = re.compile(r"\+1[2-9]\d\d55501\d\d|\+447700900\d{3}|[a-z]+\d+@example\.(?:com|org)")
        assert [user for user in users if not fictional.fullmatch(user)] == []

    def test_some_come_back(self, past: Past) -> None:
        assert past.one("SELECT uniqExact(session_id) / uniqExact(user_id) FROM messages") > 1.5

    def test_no_slot_is_left_open(self, past: Past) -> None:
        assert past.rows("SELECT DISTINCT text FROM messages WHERE match(text, '[{}]') OR text = ''") == []
        assert past.rows("SELECT document FROM payloads WHERE match(document, '\\\\{\\\\w+\\\\}') LIMIT 3") == []


class TestStories:
    """What the stories say is to be found, must be there to find."""

    def test_a_dependency_was_slow_for_an_hour(self, past: Past) -> None:
        median = "SELECT quantile(0.5)(duration_ns) FROM spans WHERE dependency = 'carrier-api' AND "
        within = f"start >= {_FROM} AND start < {_TO}"
        window = {"from": NOW_NS - 9 * 3_600 * 10**9, "to": NOW_NS - 8 * 3_600 * 10**9}
        assert past.one(median + within, **window) > 10 * past.one(f"{median} NOT ({within})", **window)

    def test_a_provider_limited_calls_in_the_evening(self, past: Past) -> None:
        when = past.rows(
            "SELECT toHour(start, 'Europe/Zurich') AS hour, countIf(failure = 'rate_limited') / count() AS share "
            "FROM spans WHERE dependency = 'anthropic' GROUP BY hour ORDER BY share DESC"
        )
        assert when[0][0] == 19
        assert when[0][1] > 10 * when[1][1]

    def test_a_bot_was_gone_for_twenty_minutes(self, past: Past) -> None:
        window = {"from": NOW_NS - 320 * 60 * 10**9, "to": NOW_NS - 300 * 60 * 10**9}
        for table, at in (("spans", "start"), ("points", "at"), ("logs", "at")):
            gone = f"SELECT count() FROM {table} WHERE bot = 'booking' AND {at} >= {_FROM} AND {at} < {_TO}"
            assert past.one(gone, **window) == 0, table
        assert (
            past.one(f"SELECT count() FROM spans WHERE bot = 'orders' AND start >= {_FROM} AND start < {_TO}", **window)
            > 0
        )
        crash = (
            "SELECT event FROM logs WHERE level = 'fatal' AND bot = 'booking' "
            f"AND at < {_FROM} AND at > {_FROM} - INTERVAL 1 SECOND"
        )
        assert past.rows(crash, **window) == [("exception",)]
        uptime = f"SELECT min(value) FROM points WHERE metric = 'process.uptime' AND bot = 'booking' AND at >= {_TO}"
        assert past.one(uptime, **window) < 61

    def test_a_bot_heard_and_said_nothing(self, past: Past) -> None:
        window = {"from": NOW_NS - 95 * 60 * 10**9, "to": NOW_NS - 80 * 60 * 10**9}
        mail = f"bot = 'support' AND channel = 'Email' AND at >= {_FROM} AND at < {_TO}"
        asked = f"SELECT toString(outcome) AS outcome, asked AS at FROM turns WHERE {mail}"
        found = past.rows(f"SELECT outcome, count() FROM ({asked}) GROUP BY outcome ORDER BY 2 DESC", **window)
        assert found[0][0] == "unanswered"
        assert past.one(f"SELECT countIf(direction = 'in') FROM messages WHERE {mail}", **window) >= found[0][1]
        assert past.one(f"SELECT countIf(severity >= 13) FROM logs WHERE {mail}", **window) == 0

    def test_billing_tickets_moved_their_category(self, past: Past) -> None:
        billing = "SELECT document FROM payloads WHERE document LIKE '%billing%' AND at "
        since = {"from": NOW_NS - 3 * 3_600 * 10**9}
        before = [json.loads(text) for (text,) in past.rows(f"{billing} < {_FROM}", **since)]
        after = [json.loads(text) for (text,) in past.rows(f"{billing} >= {_FROM}", **since)]
        assert len(before) > 100
        assert len(after) > 5
        assert {(ticket.get("category"), "details" in ticket) for ticket in before} == {("billing", False)}
        assert {(ticket.get("category"), ticket["details"]["topic"]) for ticket in after} == {(None, "billing")}


class TestWriting:
    def test_the_same_seed_gives_the_same_day(self, past: Past, new_store: Callable[[], Store]) -> None:
        again = new_store()
        assert history(again, NOW_NS, SETTINGS)
        for table in ("spans", "logs", "points", "messages", "events", "payloads", "turns", "concurrency"):
            # Another test lets the settler look at the minute that goes on.
            ours = f"WHERE settled <= {_TO}" if table == "concurrency" else ""
            digest = f"SELECT count(), groupBitXor(cityHash64(*)) FROM {table} {ours}"
            found = [tuple(row) for row in again.read(digest, {"to": NOW_NS})]
            assert past.rows(digest, to=NOW_NS) == found, table

    def test_a_store_that_has_received_something_is_left_alone(self, past: Past) -> None:
        before = past.one("SELECT count() FROM spans")
        assert not history(past.store, NOW_NS, SETTINGS, seed=2)
        assert past.one("SELECT count() FROM spans") == before

    @pytest.mark.parametrize("days", [0, -1, 32])
    def test_days_that_cannot_be_are_refused(self, store: Store, days: int) -> None:
        with pytest.raises(SettingError, match=f"expected 1 to 31, found {days}"):
            history(store, NOW_NS, SETTINGS, days=days)


def test_what_the_server_says_of_its_own_machine_is_no_bots_history(store: Store) -> None:
    """It may have told of it before history is written."""

    def told(bot: str) -> None:
        point = {"host": "h", "metric": "system.uptime", "kind": "gauge", "series": 1, "at": NOW_NS / 1e9, "value": 1}
        row = json.dumps({"bot": bot, "resource": "{}", **point}).encode()
        store.insert("number_points", row, fmt="JSONEachRow", settings={})

    assert is_empty(store)
    told("")
    assert is_empty(store)
    told("shop")
    assert not is_empty(store)
