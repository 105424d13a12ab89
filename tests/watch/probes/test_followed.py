"""Real services that are stopped, paused, overloaded and started again: the probe follows, the others stay quiet."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg

from botwatch.watch.probes.model import Status
from tests.watch.probes.conftest import CONNECTIONS, PASSWORD, Monitored, PostgresPart
from tests.watch.probes.looking import Collected, described, fast, until, until_status, watching
from tests.watch.probes.parts import Part

R, D, S = Status.RUNNING, Status.DEGRADED, Status.STOPPED


async def test_real_services_are_followed_and_the_others_stay_quiet(
    postgres: PostgresPart, redis: Part, nats: Monitored, influxdb: Part
) -> None:
    watched = [
        fast(described(name, url), timeout_s=2.0)
        for name, url in {
            "postgresql": postgres.url,
            "redis": f"redis://:{PASSWORD}@127.0.0.1:{redis.port}",
            "nats": f"nats://bot:{PASSWORD}@127.0.0.1:{nats.part.port}",
            "influxdb": f"http://127.0.0.1:{influxdb.port}",
        }.items()
    ]
    parts = {"postgresql": postgres, "redis": redis, "nats": nats.part, "influxdb": influxdb}
    reporter = Collected()
    async with watching(*watched, reporter=reporter) as services:
        for name in parts:
            await until_status(services, name, R)
        for name, part in parts.items():
            async with part.stopped():
                assert (await until_status(services, name, S)).reason
            await until_status(services, name, R)
        for pair in (("postgresql", "redis"), ("nats", "influxdb")):  # to wait for two takes no longer than for one
            with parts[pair[0]].paused(), parts[pair[1]].paused():
                for name in pair:
                    view = await until_status(services, name, S)
                    assert view.reason == "there was no answer within 2 s"
            for name in pair:
                await until_status(services, name, R)
    changes = [
        (str(h.attributes["botwatch.service.name"]), str(h.attributes["botwatch.service.status"]))
        for h in reporter.happenings
        if h.attributes["botwatch.service.before"] != h.attributes["botwatch.service.status"]
    ][4:]
    assert changes[:8] == [(name, status) for name in parts for status in ("stopped", "running")]
    assert [{name for name, _ in changes[8:12]}, {name for name, _ in changes[12:]}] == [
        {"postgresql", "redis"},
        {"nats", "influxdb"},
    ]
    assert {name: [status for other, status in changes if other == name] for name in parts} == {
        name: ["stopped", "running"] * 2 for name in parts
    }


async def test_an_overloaded_database_is_degraded_and_comes_back(postgres: PostgresPart, redis: Part) -> None:
    names = {"postgresql": postgres.url, "redis": f"redis://:{PASSWORD}@127.0.0.1:{redis.port}"}
    async with watching(*(fast(described(name, url)) for name, url in names.items())) as services:
        await until_status(services, "postgresql", R)
        taken: list[psycopg.AsyncConnection[Any]] = []
        try:
            while len(taken) < CONNECTIONS:
                with contextlib.suppress(psycopg.OperationalError):  # at this moment the probe has the last one
                    taken.append(await psycopg.AsyncConnection.connect(postgres.url))
            view = await until(services, "postgresql", lambda view: "no connection is free" in view.reason)
            assert view.status is D
        finally:
            for connection in taken:
                await connection.close()
        await until_status(services, "postgresql", R)
        found = services.view("redis")
        assert found is not None
        assert found.status is R
