"""When a token or key was last used: approximate, and never in the way of the request."""

from __future__ import annotations

import asyncio
import logging
from enum import Enum, auto

from sqlalchemy.orm import Session

from botwatch.clock import Clock
from botwatch.errors import StateAway
from botwatch.limits import LAST_USED_WRITE_S_MIN
from botwatch.state import keys, tokens
from botwatch.state.database import Database


class Used(Enum):
    TOKEN = auto()
    KEY = auto()


class LastUse:
    """Written at most once a minute each; what waits for a write goes into the next one together."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted_s: dict[tuple[Used, int], float] = {}
        self._pending_ns: dict[tuple[Used, int], int] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, what: Used, row_id: int) -> None:
        key = (what, row_id)
        now_s = self._clock.monotonic_s()
        noted_s = self._noted_s.get(key)
        if noted_s is not None and now_s - noted_s < LAST_USED_WRITE_S_MIN:
            return
        self._noted_s[key] = now_s
        self._pending_ns[key] = self._clock.now_ns()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    def forget_all_but(self, live: set[tuple[Used, int]]) -> None:
        self._noted_s = {key: at_s for key, at_s in self._noted_s.items() if key in live}

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while self._pending_ns:
            pending, self._pending_ns = self._pending_ns, {}
            used = {what: {row_id: at for (kind, row_id), at in pending.items() if kind is what} for what in Used}

            def work(session: Session, used: dict[Used, dict[int, int]] = used) -> None:
                tokens.touch(session, used[Used.TOKEN])
                keys.touch(session, used[Used.KEY])

            try:
                await self._database.write(work)
            except StateAway:
                logging.getLogger(__name__).debug("last use of %d tokens and keys was not kept", len(pending))
