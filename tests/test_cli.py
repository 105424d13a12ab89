"""The command line as people use it: a process, what it prints, and its exit code."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

import botwatch
from botwatch import cli
from botwatch.clock import SystemClock
from botwatch.errors import TryAgain
from botwatch.nouns import Role
from botwatch.settings import TABLES, Settings
from botwatch.state import Access, open_database, users
from botwatch.state.secrets import password_fits

BOTWATCH = Path(sys.executable).with_name("botwatch")
PASSWORD = "correct horse battery"


def run(
    *arguments: str | Path, cwd: Path | None = None, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BOTWATCH, *arguments],
        input=stdin,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@dataclass(frozen=True)
class Here:
    """The same, in this process: for the many cases, as a process takes a second to start."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = cli._run([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(monkeypatch, capsys)


def fails(done: subprocess.CompletedProcess[str], code: int, words: str) -> None:
    """One plain line on standard error, and nothing else anywhere."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("botwatch: ")
    assert words in done.stderr


class TestHelp:
    def test_without_a_command_it_says_which_there_are_and_no_other(self) -> None:
        done = run()
        assert done.returncode == 0
        commands = done.stdout.partition("Commands:")[2].split("\n")
        assert [line.split()[0] for line in commands if line.strip()] == [
            *("serve", "demo", "agent", "status", "console", "doctor", "drill", "export", "version", "import"),
            *("user", "key", "token", "rules", "channel", "silence", "intake"),
        ]

    def test_every_setting_is_a_flag_with_its_description_and_no_secret_is(self) -> None:
        shown = " ".join(run("serve", "--help").stdout.split())
        for name, field in Settings.model_fields.items():
            flag = f"--{name.replace('_', '-')} "
            if field.annotation is SecretStr:
                assert flag not in shown
                assert f"BOTWATCH_{name.upper()}_FILE" in shown
            elif name == "url" or name in TABLES:
                assert flag not in shown  # only the agent sends; tables stand in the file or the environment
            else:
                assert flag in shown, name
                assert "".join(str(field.description).split()) in shown.replace(" ", ""), name  # long words are broken

    def test_the_version_is_the_one_of_the_package(self) -> None:
        from importlib.metadata import version

        assert run("version").stdout == f"botwatch {version('botwatch')}\n"

    def test_help_loads_no_engine_and_no_database(self) -> None:
        script = (
            "import sys, contextlib, io\n"
            "from botwatch import cli\n"
            "with contextlib.redirect_stdout(io.StringIO()): assert cli._run(['serve', '--help']) == 0\n"
            "heavy = {'chdb', 'clickhouse_connect', 'sqlalchemy', 'alembic', 'fastapi', 'httpx', 'numpy', 'grpc'}\n"
            "print(sorted(heavy & set(sys.modules)))\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"


class TestFailures:
    def test_as_a_process(self, tmp_path: Path) -> None:
        fails(run("serve", "--port", "x", cwd=tmp_path), 2, "port (flag)")
        fails(run("key", "revoke", "7", cwd=tmp_path), 1, "no such ingest key")

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["nothing"], "No such command"),
            (["serve", "--nope"], "No such option"),
            (["serve", "--port", "x"], "port (flag): Input should be a valid integer"),
            (["serve", "--time-zone", "Mars/Olympus"], "expected an IANA zone"),
            (["serve", "--config", "missing.toml"], "missing.toml: no such file"),
            (["user", "list", "--state", "mysql://u:hush-hush@h/d"], "state: expected postgresql://"),
            (["key", "revoke", "x"], "'ID': Input should be a valid integer"),
            (["user", "role", "ann", "king"], "king"),
            (["status", "--url", "nonsense"], "--url: expected an address"),
        ],
    )
    def test_a_command_that_is_not_right_ends_with_2(self, here: Here, arguments: list[str], words: str) -> None:
        done = here(*arguments)
        fails(done, 2, words)
        assert "hush" not in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["user", "role", "nobody", "admin"], "no user of that name"),
            (["key", "revoke", "7"], "no such ingest key"),
            (["key", "add", "two\nlines"], "A label is"),
            (["token", "add", "x", "--user", "nobody"], "no user of that name"),
            (["token", "add", "x", "--days", "0"], "1 to 3650 days"),
            (["user", "add", "ann"], "--password-stdin"),
            (["user", "add", "operator", "--password-stdin"], "A user's name"),
            (["user", "add", "ann", "--password-stdin"], "A password has 10 to 1024"),
        ],
    )
    def test_what_cannot_be_done_ends_with_1(self, here: Here, arguments: list[str], words: str) -> None:
        fails(here(*arguments, stdin="short\n"), 1, words)

    def test_a_fault_of_ours_is_one_line_too(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def broken(_: Settings, **__: object) -> int:
            raise RuntimeError("the user wrote: hush-hush")

        _put(monkeypatch, "server", broken)
        assert cli._run(["serve", "--config", os.devnull]) == 1
        error = capsys.readouterr().err
        assert error.startswith("botwatch: unexpected RuntimeError at test_cli.py:")
        assert "hush" not in error

    def test_a_message_of_many_lines_becomes_one_and_cannot_steer_the_terminal(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def busy(_: Settings, **__: object) -> int:
            raise TryAgain("one\ntwo \x1b[31mred", retry_after_s=1, hint="wait")

        _put(monkeypatch, "server", busy)
        assert cli._run(["serve", "--config", os.devnull]) == 1
        assert capsys.readouterr().err == "botwatch: one two ?[31mred (wait)\n"

    def test_a_reader_that_has_seen_enough_is_no_failure_to_tell_of(self, tmp_path: Path) -> None:
        with subprocess.Popen(
            [BOTWATCH, "serve", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""


def _put(monkeypatch: pytest.MonkeyPatch, name: str, run: Any) -> None:
    """A stand-in for what a command hands over to."""
    module = types.ModuleType(f"botwatch.{name}")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"botwatch.{name}", module)
    monkeypatch.setattr(botwatch, name, module, raising=False)


class TestServe:
    @pytest.fixture
    def served(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, Any]]:
        found: list[tuple[Settings, Any]] = []

        def take(settings: Settings, **more: Any) -> int:
            found.append((settings, more))
            return 3

        _put(monkeypatch, "server", take)
        _put(monkeypatch, "demo", take)
        return found

    def test_serve_hands_over_the_settings_and_how_to_read_them_again(
        self, served: list[tuple[Settings, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "b.toml"
        file.write_text("idle_minutes = 5\ngrpc_port = 9", encoding="utf-8")
        flags = ["--port", "0", "--data", "d", "--no-keep-text", "--ingest-auth", "--grpc-port", "7"]
        assert cli._run(["serve", "--config", str(file), *flags]) == 3
        settings, more = served[0]
        assert (settings.port, settings.data, settings.keep_text) == (0, Path("d"), False)
        assert (settings.ingest_auth, settings.grpc_port, settings.idle_minutes) == (True, 7, 5)
        file.write_text("idle_minutes = 6", encoding="utf-8")
        again = more["reread"]()
        assert (again.idle_minutes, again.port, again.grpc_port) == (6, 0, 7)

    def test_a_flag_that_was_not_given_leaves_the_setting_alone(
        self, served: list[tuple[Settings, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BOTWATCH_KEEP_TEXT", "false")
        assert cli._run(["serve", "--config", os.devnull]) == 3
        settings = served[0][0]
        assert (settings.keep_text, settings.ingest_auth) == (False, None)
        assert settings.model_fields_set == {"keep_text"}

    def test_a_demo_never_writes_where_the_real_ones_are(
        self, served: list[tuple[Settings, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "botwatch.toml").write_text('store = "clickhouse://real"', encoding="utf-8")
        for name in ("STORE", "STATE", "DATA", "NODE", "STORE_CLUSTER"):
            monkeypatch.setenv(f"BOTWATCH_{name}", "/real")
        monkeypatch.setenv("BOTWATCH_STATE_FILE", "/real")
        monkeypatch.setenv("BOTWATCH_ADMIN_TOKEN", "a long word")
        assert cli._run(["demo", "--rate", "2.5", "--port", "0"]) == 3
        settings, more = served[0]
        assert (settings.store, settings.state, settings.node, settings.store_cluster) == ("", "", "", "")
        assert settings.admin_token.get_secret_value() == "a long word"
        assert (settings.port, more) == (0, {"rate": 2.5})
        assert "botwatch-demo-" in settings.data.name
        assert not settings.data.exists()

    def test_a_demo_keeps_what_is_in_the_folder_it_was_given(
        self, served: list[tuple[Settings, Any]], tmp_path: Path
    ) -> None:
        (tmp_path / "kept").write_text("x", encoding="utf-8")
        assert cli._run(["demo", "--data", str(tmp_path)]) == 3
        assert served[0][0].data == tmp_path
        assert (tmp_path / "kept").exists()


class TestAccounts:
    def test_the_life_of_a_user(self, tmp_path: Path, here: Here) -> None:
        at = ("--data", tmp_path / "data")
        for name, role in (("Ann", "admin"), ("bob", "monitor")):
            done = here("user", "add", name, "--role", role, "--password-stdin", *at, stdin=f"{PASSWORD}\n")
            assert (done.returncode, done.stdout) == (0, ""), done.stderr
            assert PASSWORD not in done.stderr
        fails(here("user", "add", "ann", "--password-stdin", *at, stdin=PASSWORD), 1, "a user ann already")
        fails(here("user", "disable", "ann", *at), 1, "the last admin")
        assert here("user", "role", "bob", "admin", *at).returncode == 0
        assert here("user", "disable", "ann", *at).returncode == 0
        rows = [line.split() for line in here("user", "list", *at).stdout.splitlines()]
        assert [row[:2] for row in rows] == [["NAME", "ROLE"], ["ann", "admin"], ["bob", "admin"]]
        assert rows[1][-1] == "disabled"
        assert here("user", "enable", "ann", *at).returncode == 0
        assert "disabled" not in here("user", "list", *at).stdout
        done = here("user", "password", "bob", "--password-stdin", *at, stdin="quite another one\n")
        assert done.returncode == 0
        database = open_database(Settings(data=tmp_path / "data"))
        found = database.read_now(lambda session: users.find_with_password(session, "bob"))
        database.close()
        assert found is not None
        assert found[0].role is Role.ADMIN
        assert password_fits("quite another one", found[1])

    def test_a_password_is_asked_for_twice_and_not_shown(self, tmp_path: Path) -> None:
        def typed(first: str, second: str) -> tuple[int, str]:
            ours, theirs = pty.openpty()
            command: list[str | Path] = [BOTWATCH, "user", "add", "ann", "--data", tmp_path]
            with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as done:
                os.close(theirs)
                shown = b""
                for prompt, line in ((b"Password: ", first), (b"Once more: ", second)):
                    while prompt not in shown:
                        shown += os.read(ours, 1024)
                    os.write(ours, line.encode() + b"\n")
                with contextlib.suppress(OSError):  # the end of a terminal
                    while more := os.read(ours, 1024):
                        shown += more
            os.close(ours)
            return done.returncode, shown.decode()

        code, shown = typed(PASSWORD, PASSWORD + "!")
        assert (code, "not the same" in shown, PASSWORD in shown) == (1, True, False)
        code, shown = typed(PASSWORD, PASSWORD)
        assert (code, "ann can sign in as monitor." in shown, PASSWORD in shown) == (0, True, False)

    async def test_a_key_is_printed_alone_listed_without_itself_and_revoked(self, tmp_path: Path) -> None:
        at = ("--data", tmp_path)
        made = run("key", "add", "checkout bot", *at)
        secret = made.stdout.strip()
        assert made.returncode == 0
        assert made.stdout == f"{secret}\n"
        assert secret not in made.stderr
        listed = run("key", "list", *at).stdout
        assert "checkout bot" in listed
        assert secret not in listed
        database = open_database(Settings(data=tmp_path))
        assert await Access(database, SystemClock()).ingest(secret)
        assert run("key", "revoke", "1", *at).returncode == 0
        assert not await Access(database, SystemClock()).ingest(secret)
        database.close()
        assert run("key", "list", *at).stdout.splitlines() == ["ID  BEGINS  CREATED  LAST USED  LABEL"]

    async def test_a_token_is_made_for_a_role_a_user_and_a_time(self, tmp_path: Path, here: Here) -> None:
        at = ("--data", tmp_path)
        here("user", "add", "bob", "--password-stdin", *at, stdin=PASSWORD)
        secret = here("token", "add", "board", "--role", "admin", "--user", "bob", "--days", "7", *at).stdout.strip()
        here("token", "add", "script", *at)
        rows = here("token", "list", *at).stdout.splitlines()
        assert [row.split()[1:3] for row in rows[1:]] == [["monitor", "bob"], ["monitor", "-"]]
        database = open_database(Settings(data=tmp_path))
        found = await Access(database, SystemClock()).bearer(secret)
        assert found is not None
        assert (found.name, found.role) == ("bob", Role.MONITOR)
        assert here("token", "revoke", "1", *at).returncode == 0
        assert await Access(database, SystemClock()).bearer(secret) is None
        database.close()

    def test_the_folder_may_come_from_the_environment_or_a_file(self, tmp_path: Path) -> None:
        run("key", "add", "one", env={"BOTWATCH_DATA": str(tmp_path / "a")})
        (tmp_path / "b.toml").write_text(f'data = "{tmp_path / "b"}"', encoding="utf-8")
        run("key", "add", "two", "--config", tmp_path / "b.toml")
        assert (tmp_path / "a" / "state.db").exists()
        assert (tmp_path / "b" / "state.db").exists()

    def test_a_folder_that_cannot_be_used_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        fails(run("key", "list", "--data", tmp_path / "file"), 2, "choose another folder with --data")


class Answer(BaseHTTPRequestHandler):
    """A server that answers what it is told to, and remembers what it was asked."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b""
    location: ClassVar[str] = ""
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("authorization")))
        self.send_response(self.status)
        if self.location:
            self.send_header("location", self.location)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


class TestStatus:
    @pytest.fixture
    def server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
        monkeypatch.setattr(Answer, "asked", [])
        with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield {"BOTWATCH_URL": f"http://127.0.0.1:{server.server_port}/", "BOTWATCH_TOKEN": "bw_api_x"}
            server.shutdown()
            thread.join()

    def test_it_asks_with_the_token_and_prints_every_figure(
        self, server: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        figures = {"sessions": {"active": 12_400, "peak_today": None}, "services": {}, "bot": {"name": "a\x1b[2Jb\n"}}
        monkeypatch.setattr(Answer, "body", json.dumps(figures).encode())
        done = run("status", env=server)
        assert done.returncode == 0, done.stderr
        assert done.stdout == (
            "sessions\n  active      12,400\n  peak today  unknown\nservices\nbot\n  name        a?[2Jb?\n"
        )
        assert Answer.asked == [("/api/monitoring/status", "Bearer bw_api_x")]

    def test_as_json_it_is_the_answer_itself(self, server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Answer, "body", b'{"sessions": {"active": 1}}')
        assert run("status", "--json", env=server).stdout == '{"sessions": {"active": 1}}\n'

    def test_the_token_goes_nowhere_else(self, server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Answer, "status", 302)
        monkeypatch.setattr(Answer, "location", "/elsewhere")
        fails(run("status", env=server), 1, "answered 302")
        assert [path for path, _ in Answer.asked] == ["/api/monitoring/status"]

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (
                401,
                b'{"error": {"code": "unauthorised", "message": "The token is not known.", "hint": null}}',
                "not known",
            ),
            (404, b"<html>nginx</html>", "answered 404: it is not a Botwatch server"),
            (200, b"<html>hello</html>", "not one of a Botwatch server"),
            (200, b"[1, 2]", "not one of a Botwatch server"),
        ],
    )
    def test_another_answer_is_told_in_a_line(
        self, server: dict[str, str], monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, words: str
    ) -> None:
        monkeypatch.setattr(Answer, "status", status)
        monkeypatch.setattr(Answer, "body", body)
        fails(run("status", env=server), 1, words)

    def test_nobody_there_is_told_in_a_line(self) -> None:
        env = {"BOTWATCH_URL": "http://127.0.0.1:1", "BOTWATCH_TOKEN": "x"}
        fails(run("status", env=env), 1, "is the server running there?")

    def test_without_a_token_it_says_how_to_get_one(self) -> None:
        fails(run("status", env={"BOTWATCH_TOKEN": ""}), 1, "botwatch token add")
