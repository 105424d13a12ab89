"""Redis and Valkey: INFO. Spoken here, with a bound on what is read: it is two commands."""

from __future__ import annotations

import time
from typing import Final

from botwatch.limits import SERVICE_LINE_BYTES_MAX
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Pace, Service, Status, clean_version, figures, number, volume
from botwatch.watch.probes.stream import Stream

PORT: Final = 6379
_FULL: Final = 0.95
_NEVER_EVICTS: Final = "noeviction"


class Refused(Exception):
    """It answered with an error; `code` is its first word."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


class Redis:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._evictions = Pace()
        self._seen: tuple[float, float] | None = None  # hits and misses the last time

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        try:
            info = await self._info()
        except Refused as refused:
            return _meaning(refused)
        took_s = time.monotonic() - began_s
        return self._found(info, began_s, took_s)

    async def _info(self) -> dict[str, str]:
        target = self._service.target
        async with await Stream.open(self._service, PORT, tls=target.scheme in ("rediss", "valkeys")) as stream:
            await _login(stream, target.user, target.password.get_secret_value())
            text = await _call(stream, "INFO")
        pairs = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
        info = {name: value for name, _, value in pairs}
        if "redis_version" not in info:
            raise Trouble(Reason.ANSWER, "expected the INFO of Redis, found something else")
        return info

    def _found(self, info: dict[str, str], at_s: float, took_s: float) -> Finding:
        memory, most = number(info.get("used_memory")), number(info.get("maxmemory")) or None
        clients, clients_most = number(info.get("connected_clients")), number(info.get("maxclients"))
        share = memory / most if memory is not None and most else None
        hit_rate = self._hit_rate(number(info.get("keyspace_hits")), number(info.get("keyspace_misses")))
        known = [volume(memory)] if memory is not None else []
        if hit_rate is not None:
            known.insert(0, f"{100 * hit_rate:.1f}% hit rate")
        reason = _wrong(info, share, clients, clients_most)
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            version=clean_version(info.get("valkey_version") or info["redis_version"]),
            headline=", ".join(known[:1]),
            figures=figures(
                ("hit_rate", hit_rate, "1"),
                ("memory", memory, "By"),
                ("memory.max", most, "By"),
                ("clients", clients, "{client}"),
                ("clients.max", clients_most, "{client}"),
                ("evictions.rate", self._evictions.per_s(number(info.get("evicted_keys")) or 0, at_s), "{key}/s"),
                ("commands.rate", number(info.get("instantaneous_ops_per_sec")), "{command}/s"),
            ),
            latency_s=took_s,
            saturation=share,
        )

    def _hit_rate(self, hits: float | None, misses: float | None) -> float | None:
        """Since we asked last; over all its life at first, and where nobody asked it anything since."""
        if hits is None or misses is None:
            return None
        before, self._seen = self._seen, (hits, misses)
        if before is not None and hits >= before[0] and misses >= before[1]:
            asked = hits - before[0] + misses - before[1]
            if asked:
                return (hits - before[0]) / asked
        return hits / (hits + misses) if hits + misses else None

    async def close(self) -> None:
        """Nothing is kept: each time it is asked as a new client asks."""


async def _login(stream: Stream, user: str, secret: str) -> None:
    if not secret:
        return
    try:
        await _call(stream, "AUTH", *([user] if user else []), secret)
    except Refused as refused:
        if not user or "wrong number of arguments" not in refused.text.lower():
            raise
        await _call(stream, "AUTH", secret)  # before version 6 there were no users


async def _call(stream: Stream, *words: str) -> str:
    parts = [word.encode() for word in words]
    stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    line = (await stream.line()).decode("utf-8", "replace")
    kind, text = line[:1], line[1:]
    if kind == "-":
        raise Refused(text.partition(" ")[0], text)
    if kind == "+":
        return text
    size = number(text) if kind == "$" else None
    if size is None or size < 0:
        raise Trouble(Reason.ANSWER, "what answers there does not speak the protocol of Redis")
    if size > SERVICE_LINE_BYTES_MAX:
        raise Trouble(Reason.TOO_LARGE, f"the answer is larger than {SERVICE_LINE_BYTES_MAX} bytes: it was not read")
    return (await stream.exactly(int(size) + 2)).decode("utf-8", "replace")


def _meaning(refused: Refused) -> Finding:
    """What it refused with, in our words: its own may repeat ours."""
    match refused.code:
        case "NOAUTH":
            return Finding(Status.UNKNOWN, "it answers, and asks for a password: none is configured")
        case "WRONGPASS" | "ERR" if "pass" in refused.text.lower() or "auth" in refused.text.lower():
            return Finding(Status.UNKNOWN, "it answers, and does not accept the user or password")
        case "NOPERM":
            return Finding(Status.UNKNOWN, "it answers, and does not allow this user the command INFO")
        case "LOADING":
            return Finding(Status.STOPPED, "it is loading its data, and serves nothing yet")
        case "ERR" if "max number of clients" in refused.text.lower():
            return Finding(Status.DEGRADED, "no connection is free: all are in use")
        case "DENIED":
            return Finding(Status.UNKNOWN, "it answers, and refuses other machines (protected mode)")
    return Finding(Status.UNKNOWN, "it answers the question with an error")


def _wrong(info: dict[str, str], share: float | None, clients: float | None, clients_most: float | None) -> str:
    if info.get("loading", "0") != "0":
        return "it is loading its data, and serves only part of it"
    if info.get("role") == "slave" and info.get("master_link_status") == "down":
        return "it is a replica, and its link to the primary is down"
    if info.get("rdb_last_bgsave_status") == "err" or info.get("aof_last_write_status") == "err":
        return "it could not write its data to the disk the last time"
    if share is not None and share >= _FULL and info.get("maxmemory_policy") == _NEVER_EVICTS:
        return f"{100 * share:.0f} % of the memory it may use is in use, and it may not evict"
    if clients is not None and clients_most and clients >= _FULL * clients_most:
        return f"{clients:.0f} of {clients_most:.0f} connections are in use"
    return ""
