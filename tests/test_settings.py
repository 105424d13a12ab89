from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from botwatch import settings as module
from botwatch.errors import SettingError
from botwatch.settings import Settings, is_time_zone, load, machine_time_zone


def given(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "botwatch.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_flag_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = given(tmp_path, "port = 1\notlp_port = 1\ngrpc_port = 1\n")
    environ = {"BOTWATCH_PORT": "2", "BOTWATCH_OTLP_PORT": "2", "OTHER": "x"}
    found = load({"port": "3", "host": None}, environ, file)
    assert (found.port, found.otlp_port, found.grpc_port, found.host) == (3, 2, 1, "127.0.0.1")


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    assert load({}, {"BOTWATCH_PORT": "", "BOTWATCH_HOST_FILE": ""}, given(tmp_path, "port = 1")).port == 1


def test_a_secret_comes_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush-hush\n", encoding="utf-8")
    found = load({}, {"BOTWATCH_ADMIN_TOKEN_FILE": str(tmp_path / "token")}, given(tmp_path, ""))
    assert found.admin_token.get_secret_value() == "hush-hush"
    assert "hush" not in f"{found!r} {found} {found.model_dump_json()}"


def test_the_file_in_this_folder_is_read_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}, {}).port == 8600
    given(tmp_path, "port = 7")
    assert load({}, {}).port == 7


@pytest.mark.parametrize(
    ("flags", "environ", "text", "words"),
    [
        ({"port": "x"}, {}, "", "port (flag): Input should be a valid integer"),
        ({"port": "65536"}, {}, "", "port (flag): Input should be less than or equal to 65535"),
        ({}, {"BOTWATCH_PORT": "-1"}, "", "port (environment): "),
        ({}, {}, "port = 'x'", "botwatch.toml): Input should be a valid integer"),
        ({}, {}, "prot = 1", "botwatch.toml): is not a setting"),
        ({}, {}, "[section]\nport = 1", "is not a setting"),
        ({}, {}, "port = ", "not TOML"),
        ({"nonsense": "1"}, {}, "", "nonsense (flag): is not a setting"),
        ({"time_zone": "Mars/Olympus"}, {}, "", "expected an IANA zone such as Europe/Zurich"),
        ({"time_zone": "../../etc/passwd"}, {}, "", "expected an IANA zone"),
        ({"log_level": "loud"}, {}, "", "expected one of debug, info, warning, error"),
        ({"show_users": "some"}, {}, "", "expected one of admin, all, nobody"),
        ({"port": "x", "otlp_port": "y"}, {}, "", "; otlp_port (flag): "),
        ({}, {"BOTWATCH_ADMIN_TOKEN_FILE": "/nowhere/at/all"}, "", "BOTWATCH_ADMIN_TOKEN_FILE: /nowhere"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    tmp_path: Path, flags: Mapping[str, str], environ: Mapping[str, str], text: str, words: str
) -> None:
    with pytest.raises(SettingError) as refused:
        load(flags, environ, given(tmp_path, text))
    assert words in refused.value.message


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no such file"):
        load({}, {}, tmp_path / "missing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingError, match="cannot be read"):
        load({}, {}, tmp_path / "bytes.toml")


def test_no_bad_value_is_repeated(tmp_path: Path) -> None:
    environ = {"BOTWATCH_STORE_CLUSTER": "fine", "BOTWATCH_PORT": "hush-hush", "BOTWATCH_PUBLIC_URL": "hush-hush"}
    with pytest.raises(SettingError) as refused:
        load({}, environ, given(tmp_path, ""))
    assert "hush" not in refused.value.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_is_not_exposed_and_asks_for_no_key(host: str) -> None:
    found = Settings(host=host)
    assert (found.loopback, found.exposed, found.ingest_needs_key) == (True, False, False)
    assert Settings(host=host, ingest_auth=True).ingest_needs_key


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "bots.example", "127.0.0.1.evil.example", ""])
def test_every_other_address_is_exposed_and_asks_for_a_key(host: str) -> None:
    found = Settings(host=host)
    assert (found.loopback, found.exposed, found.ingest_needs_key) == (False, True, True)
    assert not Settings(host=host, ingest_auth=False).ingest_needs_key


def test_a_proxy_before_loopback_exposes_it_too() -> None:
    found = Settings(public_url="https://bots.example")
    assert (found.loopback, found.exposed, found.ingest_needs_key) == (True, True, True)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://bots.example", "https://bots.example"),
        ("https://bots.example/", "https://bots.example"),
        ("http://10.0.0.1:8600/", "http://10.0.0.1:8600"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_the_public_address_is_kept_as_an_origin(url: str, kept: str) -> None:
    assert Settings(public_url=url).public_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "bots.example",
        "ftp://bots.example",
        "https://",
        "https://u:p@bots.example",
        "https://bots.example:99999",
        "https://bots.example:x",
        "https://bots.example/under/a/path",
        "https://bots.example?x=1",
        "javascript:alert(1)",
        "https://[::1",
    ],
)
def test_a_public_address_that_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="public_url"):
        load({"public_url": url}, {}, Path("/dev/null"))


@pytest.mark.parametrize(
    ("zone", "expected"), [("Europe/Zurich", "Europe/Zurich"), (":Europe/Zurich", "Europe/Zurich")]
)
def test_the_zone_of_the_machine_is_the_one_it_names(monkeypatch: pytest.MonkeyPatch, zone: str, expected: str) -> None:
    monkeypatch.setenv("TZ", zone)
    assert machine_time_zone() == expected


def test_a_machine_that_names_no_zone_is_in_one_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert is_time_zone(machine_time_zone())
    monkeypatch.setattr(module, "is_time_zone", lambda name: False)
    assert machine_time_zone() == "UTC"


def test_settings_do_not_change(tmp_path: Path) -> None:
    found = load({}, {}, given(tmp_path, ""))
    with pytest.raises(ValueError, match="frozen"):
        found.port = 1  # type: ignore[misc]


def test_a_service_is_a_table_or_a_variable_with_its_files(tmp_path: Path) -> None:
    file = given(tmp_path, '[services.redis]\nurl = "redis://file"\ninterval_seconds = 5\n')
    (tmp_path / "url").write_text("http://qdrant:6333\n", encoding="utf-8")
    environ = {
        "BOTWATCH_SERVICE_REDIS": "redis://variable",
        "BOTWATCH_SERVICE_REDIS_PASSWORD_FILE": "/run/redis",
        "BOTWATCH_SERVICE_VAULT": "http://vault",
        "BOTWATCH_SERVICE_VAULT_TOKEN_FILE": "/run/vault",
        "BOTWATCH_SERVICE_QDRANT_FILE": str(tmp_path / "url"),
    }
    assert load({}, environ, file).services == {
        "redis": {"url": "redis://variable", "interval_seconds": 5, "password_file": "/run/redis"},
        "vault": {"url": "http://vault", "token_file": "/run/vault"},
        "qdrant": {"url": "http://qdrant:6333"},
    }


def test_the_redis_bots_are_told_of_is_a_service_unless_one_is_called_so(tmp_path: Path) -> None:
    environ = {"REDIS_URL": "redis://user:hush@cache:6379"}
    assert load({}, environ, given(tmp_path, "")).services == {"redis": {"url": "redis://user:hush@cache:6379"}}
    file = given(tmp_path, '[services.redis]\nurl = "redis://file"\n')
    assert load({}, environ, file).services == {"redis": {"url": "redis://file"}}
    assert load({}, {}, given(tmp_path, "")).services == {}


@pytest.mark.parametrize("url", ["user:hush@cache:6379", "redis://user:hush@", "http://cache", "redis://cache:hush"])
def test_a_redis_url_with_a_part_missing_is_an_error_that_says_so(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingError, match=r"^REDIS_URL: expected redis://user:password@hostname:port") as caught:
        load({}, {"REDIS_URL": url}, given(tmp_path, ""))
    assert "hush" not in str(caught.value)
