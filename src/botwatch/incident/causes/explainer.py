"""Asks the telemetry store what changed around incidents that are about to open, before they are written.

An incident never waits for it: where the store does not answer in time, it opens without, and says so.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Sequence
from typing import Final

from botwatch import limits
from botwatch.errors import StoreError
from botwatch.incident.causes import calls, compare, telemetry
from botwatch.incident.causes.behind import behind
from botwatch.incident.causes.change import AFTER_NS, BEFORE_NS, Change, Kind, Window
from botwatch.incident.causes.compare import Comparison
from botwatch.incident.causes.touched import touched
from botwatch.incident.nouns import Found, Opening
from botwatch.store.client import Store

log = logging.getLogger(__name__)

_NOTHING: Final = Found()


class Explainer:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, openings: Sequence[Opening]) -> list[Opening]:
        """The same, the first of them with what changed around their beginning."""
        some = openings[: limits.INCIDENTS_EXPLAINED_MAX]
        try:
            async with asyncio.timeout(limits.INCIDENT_EXPLAINED_S_MAX):
                found = await self._found(some)
        except (TimeoutError, StoreError) as error:
            log.warning("what changed around an incident is not known", extra={"reason": str(error) or "no time"})
            found = [dataclasses.replace(_NOTHING, known=False)] * len(some)
        except Exception:
            log.exception("what changed around an incident could not be asked for")
            found = [dataclasses.replace(_NOTHING, known=False)] * len(some)
        told = [dataclasses.replace(one, found=what) for one, what in zip(some, found, strict=True)]
        return [*told, *openings[len(some) :]]

    async def _found(self, openings: Sequence[Opening]) -> list[Found]:
        if not openings:
            return []
        began = [one.began_ns for one in openings]
        changes = await telemetry.changes(self._store, Window.around(min(began), max(began)))
        closer = openings[: limits.INCIDENTS_COMPARED_MAX]
        of_each = [await self._of_one(one, changes) for one in closer]
        return [*of_each, *(Found(tuple(changes)) for _ in openings[len(closer) :])]

    async def _of_one(self, opening: Opening, changes: Sequence[Change]) -> Found:
        """With its bot's calls and versions, and what it touched."""
        bot = opening.labels.get("bot", "")
        if not bot:
            return Found(tuple(changes))
        worse = await calls.changes(self._store, bot, opening.began_ns)
        own = opening.labels.get("dependency", "")
        others = [one for one in worse if not own or ("dependency", own) not in one.places]
        what = behind(opening.snapshot)
        if what is None:
            return Found((*changes, *others))
        deploys = [one for one in changes if one.kind is Kind.DEPLOY and one.bot == bot and _near(one, opening)]
        measured: dict[Change, Comparison] = {}
        for deploy in deploys:
            found = await compare.compared(self._store, what, opening.labels, deploy, opening.started_ns)
            if found is not None:
                measured[deploy] = found
        labels = {**opening.labels, "contract": opening.rule}
        concerned = await touched(self._store, what, labels, opening.began_ns, opening.started_ns)
        return Found((*changes, *others), measured, concerned if concerned.count else None)


def _near(change: Change, opening: Opening) -> bool:
    return -AFTER_NS <= opening.began_ns - change.at_ns <= BEFORE_NS
