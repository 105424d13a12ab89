"""What all who keep their queues in Redis or Valkey share: the connection, finding keys, reading many at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from botwatch.limits import ASKED_ANSWER_BYTES_MAX, QUEUE_ITEM_BYTES_MAX, QUEUE_KEYS_SCANNED_MAX
from botwatch.watch.asking import Reason, Target, Trouble
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.resp import Command, Refusal, Resp

_SCAN_COUNT: Final = 1_000
_FIND_EVERY_S: Final = 60.0
_AT_ONCE: Final = 100  # commands in one round trip


class RedisClient:
    """One connection, made when it is needed. Only commands that read are sent."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._connection: Resp | None = None

    async def ask(self, *command: str | bytes | int) -> Any:
        (answer,) = await self._told([command], ASKED_ANSWER_BYTES_MAX)
        if isinstance(answer, Refusal):
            raise _trouble_of(answer)
        return answer

    async def ask_many(self, commands: Iterable[Command]) -> list[Any]:
        """The answers in few round trips. An answer may be the `Refusal` of that command alone."""
        wanted = list(commands)
        answers = []
        for i in range(0, len(wanted), _AT_ONCE):
            answers += await self._told(wanted[i : i + _AT_ONCE], QUEUE_ITEM_BYTES_MAX)
        if answers and all(isinstance(answer, Refusal) for answer in answers):
            raise _trouble_of(answers[0])
        return answers

    async def _told(self, commands: Sequence[Command], text_bytes_max: int) -> list[Any]:
        """A connection that was kept may have ended since: then what counts is a new one."""
        kept = self._connection
        try:
            if kept is not None:
                with contextlib.suppress(OSError, EOFError):
                    return await kept.round_trip(commands, text_bytes_max)
                await self.close()
            self._connection = await self._opened()
            return await self._connection.round_trip(commands, text_bytes_max)
        except BaseException:
            await self.close()
            raise

    async def _opened(self) -> Resp:
        connection = await Resp.open(self._target, self._timeout_s)
        user, secret = self._target.user, self._target.password.get_secret_value()
        greetings: list[Command] = [("AUTH", *([user] if user else []), secret)] if secret else []
        greetings += [("SELECT", self._target.path.strip("/") or "0")]
        try:
            for answer in await connection.round_trip(greetings, QUEUE_ITEM_BYTES_MAX):
                if isinstance(answer, Refusal):
                    raise _trouble_of(answer)
        except BaseException:
            connection.close()
            raise
        return connection

    async def now_s(self) -> float:
        """By the server's clock, which its own times are written by."""
        seconds, micros = await self.ask("TIME")
        return int(seconds) + int(micros) / 1e6

    async def scan(self, pattern: str, kind: str) -> set[str]:
        """Names of keys of that type, as far as the bound lets us look. What is no text cannot be told by its name."""
        found: set[str] = set()
        cursor: Any = 0
        for _ in range(QUEUE_KEYS_SCANNED_MAX // _SCAN_COUNT):
            cursor, keys = await self.ask("SCAN", cursor, "MATCH", pattern, "COUNT", _SCAN_COUNT, "TYPE", kind)
            for key in keys:
                with contextlib.suppress(UnicodeDecodeError, AttributeError):
                    found.add(key.decode())
            if not int(cursor):
                break
        return found

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Found:
    """Queues that were found once stay known: in Redis an empty list is not there, and empty is what we want to say."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._names: set[str] = set(choice.named)
        self._looked_s: float | None = None

    def due(self, now_s: float) -> bool:
        if self._looked_s is not None and 0 <= now_s - self._looked_s < _FIND_EVERY_S:
            return False
        self._looked_s = now_s
        return True

    def add(self, names: Iterable[str]) -> None:
        """Bounded: beyond what can be shown, those found first stay."""
        for name in sorted(names):
            if len(self._names) >= 2 * self._choice.most:
                return
            if self._choice.wants(name):
                self._names.add(name)

    def chosen(self) -> tuple[Sequence[str], int]:
        return self._choice.of(self._names)


def text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def number(value: Any) -> int | None:
    return None if value is None or isinstance(value, Exception) else int(value)


def head(value: Any) -> bytes | None:
    """A waiting message, where it is small enough to be looked into."""
    return value if isinstance(value, bytes) else None


def fields(pairs: Sequence[Any]) -> dict[str, Any]:
    """What Redis answers as a list of names and values."""
    return {text(pairs[i]): pairs[i + 1] for i in range(0, len(pairs) - 1, 2)}


def age_s(now_s: float, then_s: float | None) -> float | None:
    """None where the time cannot be one: ids and scores need not be times."""
    if then_s is None or not 946_684_800 <= then_s <= now_s + 86_400:
        return None
    return max(0.0, now_s - then_s)


def _trouble_of(refusal: Refusal) -> Trouble:
    match refusal.code:
        case "NOAUTH":
            return Trouble(Reason.LOGIN, "it asks for a password, and none is configured")
        case "WRONGPASS":
            return Trouble(Reason.LOGIN, "the user or password was not accepted")
        case "NOPERM":
            return Trouble(Reason.FORBIDDEN, "this user may not read the queues")
        case "LOADING" | "BUSY" | "MASTERDOWN":
            return Trouble(Reason.ANSWER, f"it cannot answer just now ({refusal.code})")
        case "MOVED" | "CLUSTERDOWN" | "CROSSSLOT":
            return Trouble(Reason.ANSWER, "it is a cluster: give the address of a node and the names it keeps")
    return Trouble(Reason.ANSWER, "Redis refused to answer: is it of version 6 or newer, and is the password right?")
