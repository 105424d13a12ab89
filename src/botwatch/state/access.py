"""Who may come in, answered from memory.

All live tokens and keys are held by digest. At most every `ACCESS_STALE_S_MAX` seconds one row is
read, the stamp of the last change, and all are read anew only when it is another one: so a change
made here counts at once, one made on another node or by the command line within those seconds,
and no request waits for the database while nothing changes. A made-up token costs no query either.

While the database is away, what was read last stands: bots go on being heard and people go on
looking; times of expiry still count.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import StateAway
from botwatch.nouns import Role
from botwatch.state import keys, meta, tokens
from botwatch.state.database import Database
from botwatch.state.last_use import LastUse, Used
from botwatch.state.people import OPERATOR, SETTING, Principal, Via
from botwatch.state.secrets import digest_of, same
from botwatch.state.tokens import Kind, Token

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Copy:
    stamp: str
    api: dict[bytes, Principal] = field(default_factory=dict)
    browser: dict[bytes, Principal] = field(default_factory=dict)
    ingest: dict[bytes, int] = field(default_factory=dict)

    def ids(self) -> set[tuple[Used, int]]:
        people = (*self.api.values(), *self.browser.values())
        used = {(Used.TOKEN, who.token_id) for who in people if who.token_id is not None}
        return used | {(Used.KEY, key_id) for key_id in self.ingest.values()}


class Access:
    """The three doors: an API token, a browser's session, an ingest key. None opens another's."""

    def __init__(self, database: Database, clock: Clock, admin_token: str = "") -> None:
        self._database = database
        self._clock = clock
        self._admin_digest = digest_of(admin_token) if admin_token else None
        self._copy: _Copy | None = None
        self._checked_s: float | None = None
        self._changes = 0
        self._away = False
        self._refreshing: asyncio.Task[None] | None = None
        self._uses = LastUse(database, clock)

    @property
    def away(self) -> bool:
        """Whether the state database did not answer when it was last asked."""
        return self._away

    async def bearer(self, secret: str) -> Principal | None:
        digest = _digest(secret)
        if digest is None:
            return None
        if self._admin_digest is not None and same(digest, self._admin_digest):
            return Principal(SETTING, Role.ADMIN, Via.SETTING)
        return self._valid((await self.current()).api.get(digest))

    async def browser(self, secret: str) -> Principal | None:
        digest = _digest(secret)
        return None if digest is None else self._valid((await self.current()).browser.get(digest))

    async def ingest(self, secret: str) -> bool:
        digest = _digest(secret)
        key_id = None if digest is None else (await self.current()).ingest.get(digest)
        if key_id is None:
            return False
        self._uses.note(Used.KEY, key_id)
        return True

    async def change(self, work: Callable[[Session], T]) -> T:
        """Write to users, tokens or keys so that the next request sees it."""
        try:
            return await self._database.write(work)
        finally:
            self._changes += 1
            self._checked_s = None

    async def current(self) -> _Copy:
        """The copy, not older than the bound unless the database is away."""
        if self._stale():
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(self._refresh())
            if not (self._away and self._copy):
                await asyncio.shield(self._refreshing)
                if self._checked_s is None and not self._away:  # changed while it was being read
                    return await self.current()
        if self._copy is None:
            raise StateAway("The state database is away; try again in a moment.")
        return self._copy

    async def close(self) -> None:
        if self._refreshing is not None:
            await self._refreshing
        await self._uses.close()

    def _stale(self) -> bool:
        return self._checked_s is None or self._clock.monotonic_s() - self._checked_s >= limits.ACCESS_STALE_S_MAX

    def _valid(self, principal: Principal | None) -> Principal | None:
        if principal is None or (principal.expires_ns is not None and principal.expires_ns <= self._clock.now_ns()):
            return None
        if principal.token_id is not None:
            self._uses.note(Used.TOKEN, principal.token_id)
        return principal

    async def _refresh(self) -> None:
        changes, asked_s, known = self._changes, self._clock.monotonic_s(), self._copy
        now_ns = self._clock.now_ns()
        try:
            async with asyncio.timeout(limits.STATE_BUSY_S_MAX):
                fresh = await self._database.read(lambda session: _read(session, now_ns, known))
        except (StateAway, TimeoutError):
            if not self._away:
                _log.warning("state database is away; who may come in stands as it was read last")
            self._away = True
            self._checked_s = asked_s
            return
        self._away = False
        if fresh is not known:
            self._copy = fresh
            self._uses.forget_all_but(fresh.ids())
        self._checked_s = asked_s if changes == self._changes else None


class Keys:
    """What the receivers ask. Without `required` (loopback only), whoever can connect may write."""

    def __init__(self, access: Access, *, required: bool) -> None:
        self._access = access
        self._required = required

    async def admits(self, token: str | None) -> bool:
        if not self._required:
            return True
        return token is not None and await self._access.ingest(token)


def _digest(secret: str) -> bytes | None:
    return digest_of(secret) if 0 < len(secret) <= limits.SECRET_CHARS_MAX else None


def _read(session: Session, now_ns: int, known: _Copy | None) -> _Copy:
    stamp = meta.access_stamp(session)
    if known is not None and known.stamp == stamp:
        return known
    copy = _Copy(stamp)
    for digest, token in tokens.live(session, now_ns):
        (copy.api if token.kind is Kind.API else copy.browser)[digest] = _principal(token)
    copy.ingest.update((digest, key_id) for digest, key_id in keys.live(session))
    return copy


def _principal(token: Token) -> Principal:
    houses_own = OPERATOR if token.kind is Kind.BROWSER else f"token:{token.label}"
    return Principal(
        name=token.user or houses_own,
        role=token.role,
        via=Via.BROWSER if token.kind is Kind.BROWSER else Via.API,
        user_id=token.user_id,
        token_id=token.id,
        expires_ns=token.expires_ns,
    )
