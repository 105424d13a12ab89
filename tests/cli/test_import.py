"""`botwatch import`: foreign configuration into a real state database, all of it or nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command, Done
from tests.detect.botpress import NAMES, PASTED

SECRET = "https://hooks.slack.com/services/T0/B0/very-secret"
SIX = {
    "alert-cpu-threshold": "80",
    "alert-memory-threshold": "85",
    "alert-disk-threshold": "90",
    "alert-response-time-ms": "5000",
    "alert-email": "admin@company.com",
    "alert-slack-webhook": SECRET,
}
SMTP = ("--smtp", "smtp://mail.company.com:25", "--from", "bots@company.com")


def csv(values: dict[str, str], header: str = "key,value") -> str:
    return "\n".join([header, *(f"{key},{value}" for key, value in values.items())]) + "\n"


def config(**pro: Any) -> str:
    monitoring = {"enabled": True, "collectionInterval": "10s", "retentionPeriod": "10d", "janitorInterval": "15m"}
    alerting = {"enabled": True, "watcherInterval": "10s", "retentionPeriod": "10d", "janitorInterval": "15m"}
    rules = [json.loads(part.removesuffix(",")) for part in PASTED]
    blocks = {"monitoring": monitoring, "alerting": {**alerting, "rules": rules}}
    for name, change in pro.items():
        blocks[name] = {**blocks.get(name, {}), **change}
    return json.dumps({"version": "12.30.9", "appSecret": "not-for-logs", "pro": {"enabled": True, **blocks}}, indent=2)


class State:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "botwatch-data" / "state.db"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query).fetchall()

    @property
    def rules(self) -> dict[str, dict[str, Any]]:
        return {name: json.loads(rule) for name, rule in self.rows("SELECT name, rule FROM rules")}

    @property
    def channels(self) -> dict[str, tuple[str, dict[str, Any], dict[str, Any]]]:
        found = self.rows("SELECT name, kind, options, secrets FROM channels")
        return {name: (kind, json.loads(options), json.loads(secrets)) for name, kind, options, secrets in found}

    @property
    def empty(self) -> bool:
        return not self.rules and not self.channels and not self.rows("SELECT * FROM audit")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


@pytest.fixture
def run(command: Command, tmp_path: Path) -> Any:
    def importing(name: str, text: str, *options: str) -> Done:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return command("import", name, *options)

    return importing


class TestBotpress:
    def test_its_rules_are_in_place_under_their_names(self, run: Any, state: State) -> None:
        done = run("botpress.config.json", config())
        assert done.code == 0
        assert set(state.rules) == set(NAMES)
        assert state.rules[NAMES[0]] == {
            "name": "High CPU Usage",
            "kind": "threshold",
            "field": "cpu.usage",
            "aggregation": "avg",
            "operand": "equalOrMoreThan",
            "value": 60.0,
            "timeframe": "2m",
            "cooldown": "1m",
            "by": ["host"],
        }
        assert done.out.splitlines()[0] == "rule 'High CPU Usage': cpu.usage >= 60"
        assert "botpress.config.json: 3 rules and 0 channels are in place." in done.err
        who = state.rows("SELECT DISTINCT who, what, json_extract(detail, '$.source') FROM audit")
        assert who == [("cli", "rule.put", "import:botpress.config.json")]

    @pytest.mark.parametrize("block", ["monitoring", "alerting"])
    def test_what_is_switched_off_there_is_here(self, run: Any, state: State, block: str) -> None:
        done = run("botpress.config.json", config(**{block: {"enabled": False}}))
        assert [rule["enabled"] for rule in state.rules.values()] == [False] * 3
        assert "the rules are kept, disabled" in done.err

    def test_intervals_and_periods_without_a_counterpart_are_told(self, run: Any) -> None:
        changed = config(
            monitoring={"collectionInterval": "30s"},
            alerting={"watcherInterval": "1m", "rules": [{**json.loads(PASTED[0]), "aggregation": "count"}]},
        )
        told = run("botpress.config.json", changed).err
        assert "monitoring.collectionInterval 30s: ticks are of 10 s here" in told
        assert "look at the values of High CPU Usage: there are more ticks here than there" in told
        assert "set rollups_days = 10" in told
        assert "alerting.watcherInterval 1m: rules are judged every 10s here" in told

    def test_redis_and_cluster_are_understood_and_no_password_is_shown(
        self, run: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REDIS_URL", "redis://bot:pass-word@redis.local:6380")
        monkeypatch.setenv("CLUSTER_ENABLED", "true")
        done = run("botpress.config.json", config())
        assert "Botwatch keeps nothing in Redis" in done.err
        assert "the Redis at redis.local:6380 as the service redis" in done.err
        assert "CLUSTER_ENABLED: nothing to set" in done.err
        assert "pass-word" not in done.err + done.out

    def test_an_address_of_redis_that_is_none_says_what_one_is(
        self, run: Any, state: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REDIS_URL", "http://pass-word@redis")
        done = run("botpress.config.json", config())
        assert (done.code, state.file.exists()) == (2, False)
        assert "REDIS_URL: expected redis://user:password@hostname:port" in done.err
        assert "pass-word" not in done.err

    @pytest.mark.parametrize(
        ("change", "told", "key"),
        [
            (
                {"monitoring": {"colectionInterval": "1s"}},
                "monitoring.colectionInterval: there is no key",
                "colectionInterval",
            ),
            ({"monitoring": {"retentionPeriod": "ever"}}, "retentionPeriod: expected a duration", "retentionPeriod"),
            ({"alerting": {"enabled": "yes"}}, "alerting.enabled: expected true or false, found 'yes'", "enabled"),
            ({"alerting": {"rules": {}}}, "expected a rule, a list of rules, or an object with rules", "rules"),
            (
                {"alerting": {"rules": [{"name": "x", "field": "", "value": 1}]}},
                "field: a threshold rule needs",
                "field",
            ),
            ({"alerting": {"rules": [{"name": "x", "field": "cpu.use", "value": 1}]}}, "no measure 'cpu.use'", "field"),
        ],
    )
    def test_what_is_wrong_is_told_with_its_line_and_nothing_is_imported(
        self, run: Any, state: State, change: dict[str, Any], told: str, key: str
    ) -> None:
        done = run("botpress.config.json", config(**change))
        assert (done.code, done.out, state.empty) == (1, "", True)
        lines = done.err.splitlines()
        assert lines[-1] == "botpress.config.json: nothing was imported."
        assert told in lines[0]
        number = int(lines[0].split(":")[1])
        assert f'"{key}"' in Path("botpress.config.json").read_text().splitlines()[number - 1]

    def test_again_is_the_same_and_what_people_made_stays(self, run: Any, state: State, command: Command) -> None:
        assert run("botpress.config.json", config()).code == 0
        assert run("botpress.config.json", config()).code == 0
        with closing(sqlite3.connect(state.file)) as connection, connection:
            connection.execute("UPDATE rules SET source = 'api', changed_by = 'ann' WHERE name = ?", (NAMES[1],))
        done = run("botpress.config.json", config())
        assert done.code == 1
        assert "ann made a rule of that name; give --replace to change it" in done.err
        assert run("botpress.config.json", config(), "--replace").code == 0

    def test_a_dry_run_tells_and_does_nothing(self, run: Any, state: State) -> None:
        done = run("botpress.config.json", config(), "--dry-run")
        assert done.code == 0
        assert "3 rules and 0 channels would be in place" in done.err
        assert not state.file.exists()

    def test_a_plain_file_of_rules_is_taken_too(self, run: Any, state: State) -> None:
        assert run("rules.toml", 'name = "Busy"\nfield = "cpu.usage"\nvalue = 80\n').code == 0
        assert set(state.rules) == {"Busy"}


class TestConfigCsv:
    @pytest.mark.parametrize("header", ["key,value", "name,value", "\ufeffKey, Value"])
    def test_the_six_keys_change_rules_and_make_channels(self, run: Any, state: State, header: str) -> None:
        done = run("config.csv", csv(SIX, header), *SMTP)
        assert done.code == 0, done.err
        rules = state.rules
        assert {name: rule["value"] for name, rule in rules.items()} == {
            "CPU usage critical": 80,
            "Memory usage critical": 85,
            "Disk usage critical": 90,
            "Response time critical": 5_000,
        }
        assert rules["CPU usage critical"]["recover"] < 80
        assert (rules["CPU usage critical"]["severity"], rules["CPU usage critical"]["for"]) == ("critical", "3m")
        kind, options, secrets = state.channels["alert-email"]
        assert (kind, options["to"], options["host"], secrets) == (
            "email",
            ["admin@company.com"],
            "mail.company.com",
            {},
        )
        assert state.channels["alert-slack-webhook"] == ("slack", {}, {"webhook_url": SECRET})
        assert SECRET not in done.out + done.err

    def test_comments_blank_lines_and_quotes_are_read(self, run: Any, state: State) -> None:
        text = '# ours\n\nkey,value\r\n# alerts\n"alert-cpu-threshold", "1"\n,\nalert-email,"a@b.ch, c@d.ch"\n'
        assert run("config.csv", text, *SMTP).code == 0
        assert state.rules["CPU usage critical"]["value"] == 1
        assert state.rules["CPU usage high"]["value"] < 1
        assert state.channels["alert-email"][1]["to"] == ["a@b.ch", "c@d.ch"]

    def test_what_is_not_in_the_file_stays_as_it_is(self, run: Any, state: State) -> None:
        assert run("config.csv", csv({"alert-cpu-threshold": "77"})).code == 0
        assert set(state.rules) == {"CPU usage critical"}
        assert run("config.csv", csv({"alert-disk-threshold": "95"})).code == 0
        assert {name: rule["value"] for name, rule in state.rules.items()} == {
            "CPU usage critical": 77,
            "Disk usage critical": 95,
        }

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            (
                "alert-cpu-treshold,80",
                "alert-cpu-treshold: there is no key 'alert-cpu-treshold'; did you mean alert-cpu-threshold",
            ),
            ("alert-cpu-threshold,80%", "expected percent, without a sign, above 0 and at most 100, found '80%'"),
            ("alert-cpu-threshold,", "above 0 and at most 100, found ''"),
            ("alert-cpu-threshold,nan", "found 'nan'"),
            ("alert-memory-threshold,101", "found '101'"),
            ("alert-response-time-ms,5s", "expected milliseconds, above 0 and at most 86400000, found '5s'"),
            ("alert-email,admin@", "expected an address such as admin@company.com, found 'admin@'"),
            ("alert-slack-webhook,http://hooks.slack.com/very-secret", "expected the address Slack gave"),
            ("alert-slack-webhook,very-secret", "expected the address Slack gave"),
            ("alert-cpu-threshold,80,90", "expected a key and a value, found 3 cells"),
            ("alert-cpu-threshold", "expected a key and a value, found 1 cells"),
            ('alert-cpu-threshold,"80', "not CSV: "),
            ("theme,dark", "there is no key 'theme'"),
        ],
    )
    def test_what_is_wrong_is_told_with_its_line_and_nothing_is_imported(
        self, run: Any, state: State, line: str, told: str
    ) -> None:
        done = run("config.csv", f"key,value\nalert-disk-threshold,90\n{line}\n")
        assert (done.code, done.out, state.empty) == (1, "", True)
        assert done.err.startswith("config.csv:3: ")
        assert told in done.err
        assert "very-secret" not in done.err

    @pytest.mark.parametrize(
        "text", ["", "# nothing\n", "alert-cpu-threshold,80\n", "key;value\nalert-cpu-threshold;80\n"]
    )
    def test_a_file_without_the_header_says_which(self, run: Any, state: State, text: str) -> None:
        done = run("config.csv", text)
        assert (done.code, state.empty) == (1, True)
        assert "expected the header key,value or name,value, found " in done.err

    def test_a_key_stands_once(self, run: Any) -> None:
        done = run("config.csv", "key,value\nalert-cpu-threshold,80\nalert-cpu-threshold,90\n")
        assert "config.csv:3: alert-cpu-threshold: line 2 has it already" in done.err

    def test_keys_of_others_can_be_left_out_and_are_named(self, run: Any, state: State) -> None:
        done = run("config.csv", "key,value\ntheme,dark\nalert-cpu-threshold,80\n", "--skip-unknown")
        assert done.code == 0
        assert "theme: left out, it is not about alerts" in done.err
        assert set(state.rules) == {"CPU usage critical"}

    @pytest.mark.parametrize(
        "options",
        [
            (),
            ("--smtp", "mail", "--from", "a@b.ch"),
            ("--smtp", "smtp://me:very-secret@mail", "--from", "a@b.ch"),
            ("--smtp", "smtp://me@mail", "--from", "a@b.ch"),
            (*SMTP[:3], "nobody"),
        ],
    )
    def test_mails_need_a_server_and_a_sender(self, run: Any, state: State, options: tuple[str, ...]) -> None:
        done = run("config.csv", csv(SIX), *options)
        assert done.code in (1, 2)
        assert state.empty
        assert any(word in done.err for word in ("--smtp", "sender"))
        assert "very-secret" not in done.err

    def test_the_password_of_the_mail_server_is_read_from_a_file(
        self, run: Any, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "password").write_text("very-secret\n")
        monkeypatch.setenv("BOTWATCH_SMTP_PASSWORD_FILE", str(tmp_path / "password"))
        done = run(
            "config.csv", csv(SIX), "--smtp", "smtps://me%40company@mail.company.com", "--from", "bots@company.com"
        )
        assert done.code == 0
        _, options, secrets = state.channels["alert-email"]
        assert (options["username"], options["port"], options["security"]) == ("me@company", 465, "tls")
        assert secrets == {"password": "very-secret"}

    def test_what_people_set_up_of_the_rule_stays(self, run: Any, state: State) -> None:
        assert run("config.csv", csv({"alert-cpu-threshold": "80"})).code == 0
        with closing(sqlite3.connect(state.file)) as connection, connection:
            rule = {**state.rules["CPU usage critical"], "notify": [], "runbook": "https://wiki/cpu", "enabled": False}
            connection.execute("UPDATE rules SET rule = ?", (json.dumps(rule),))
        done = run("config.csv", csv({"alert-cpu-threshold": "60"}))
        assert state.rules["CPU usage critical"]["runbook"] == "https://wiki/cpu"
        assert "'CPU usage critical' is disabled, and stays so" in done.err
        # The warning of 70 would have come after it.
        assert state.rules["CPU usage high"]["value"] < 60


@pytest.mark.parametrize("name", ["botpress.config.json", "config.csv", "rules.yaml"])
def test_a_file_that_is_not_there_or_is_no_text_is_told(command: Command, tmp_path: Path, name: str) -> None:
    done = command("import", name)
    assert (done.code, done.err.splitlines()[0]) == (1, f"{name}: it cannot be read: No such file or directory")
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    assert "it is not text in UTF-8" in command("import", name).err
