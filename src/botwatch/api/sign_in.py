"""Signing in: by name and password, or by the one-time link the server prints on its own terminal.

Every try costs the same time, whether there is such a user or not, and tries are counted before
they are made, so that many at once gain nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.api.throttle import Throttle
from botwatch.clock import Clock
from botwatch.errors import StateError, Throttled, TryAgain, Unauthorised
from botwatch.nouns import Role
from botwatch.state import Access, Database, tokens, users
from botwatch.state.people import OPERATOR
from botwatch.state.secrets import NOBODYS_PASSWORD, Prefix, digest_of, hash_password, new_secret, password_fits

T = TypeVar("T")
RETRY_AFTER_S = 2


class SignIn:
    def __init__(self, database: Database, access: Access, clock: Clock) -> None:
        self._database = database
        self._access = access
        self._clock = clock
        self._codes: dict[bytes, float] = {}
        self._tries = Throttle(limits.LOGIN_ADDRESSES_TRACKED_MAX)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="password")
        self._waiting = 0

    def new_code(self) -> str:
        """For a link that signs in as admin, once, within the hour: only for the server's own terminal."""
        code = new_secret(Prefix.BROWSER).removeprefix(Prefix.BROWSER)
        self._codes[digest_of(code)] = self._clock.monotonic_s() + limits.SIGN_IN_CODE_S_MAX
        while len(self._codes) > limits.SIGN_IN_CODES_MAX:
            del self._codes[next(iter(self._codes))]
        return code

    async def by_code(self, code: str) -> str:
        """The secret of a new browser session."""
        until_s = self._codes.pop(digest_of(code), None)
        if until_s is None or self._clock.monotonic_s() >= until_s:
            raise Unauthorised(
                "This sign-in link was used already, or is too old.",
                hint="a restart prints a new one; or add a user: botwatch user add NAME --role admin",
            )
        now_ns = self._clock.now_ns()
        try:
            return await self._access.change(
                lambda session: tokens.add_browser(session, now_ns, OPERATOR, user=None, role=Role.ADMIN)[1]
            )
        except StateError:
            self._codes[digest_of(code)] = until_s  # it let nobody in
            raise

    async def by_password(self, name: str, password: str, address: str) -> str:
        """The secret of a new browser session."""
        name = name.strip().lower()
        user, kept = await self.check_password(name, password, address)

        def start(session: Session) -> str:
            if users.find_with_password(session, name) != (user, kept):
                raise _wrong()  # disabled or changed while we looked at the password
            return tokens.add_browser(session, self._clock.now_ns(), user.name, user=user, role=user.role)[1]

        return await self._access.change(start)

    async def check_password(self, name: str, password: str, address: str) -> tuple[users.User, str]:
        with_name, alone = f"{name[: limits.NAME_CHARS_MAX]} {_network(address)}", _network(address)
        self._take(with_name, limits.LOGIN_FAILURES_PER_MINUTE_MAX)
        self._take(alone, limits.LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE_MAX)
        found = await self._database.read(lambda session: users.find_with_password(session, name))
        kept = found[1] if found else NOBODYS_PASSWORD
        fits = await self._in_worker(lambda: password_fits(password, kept))
        if found is None or not fits:
            raise _wrong()
        self._tries.give_back(with_name)
        self._tries.give_back(alone)
        return found

    async def hash_password(self, password: str) -> str:
        return await self._in_worker(lambda: hash_password(password))

    def close(self) -> None:
        self._worker.shutdown(wait=True)

    def _take(self, key: str, tries_max: int) -> None:
        now_s = self._clock.monotonic_s()
        wait_s = self._tries.wait_s(key, tries_max, now_s)
        if wait_s:
            raise Throttled(f"Too many failed sign-ins; wait {wait_s} s.", retry_after_s=wait_s)
        self._tries.take(key, now_s)

    async def _in_worker(self, work: Callable[[], T]) -> T:
        """One at a time: a password costs much memory and time on purpose."""
        if self._waiting >= limits.LOGINS_WAITING_MAX:
            raise TryAgain("Too many people sign in at once; try again in a moment.", retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._worker, work)
        future.add_done_callback(self._done)
        return await future

    def _done(self, _: object) -> None:
        self._waiting -= 1


def _wrong() -> Unauthorised:
    return Unauthorised("The name or the password is wrong.")


def _network(address: str) -> str:
    """Who has one IPv6 address has all of its /64."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)
