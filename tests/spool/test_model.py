"""Any history of puts, batches, crashes and restarts, against a model of a few lines."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from botwatch.clock import ManualClock
from botwatch.nouns import Inbox, Parcel, Refusal, Signal
from botwatch.spool import Batch, Counts, owner
from tests.spool.parcels import NOW_NS, crash_image, names, open_spool, parcel

INBOXES = st.sampled_from((Inbox.TRACES, Inbox.LOGS, Inbox.JSON_LOGS))
REJECTED = st.dictionaries(st.sampled_from((Refusal.CLOCK, Refusal.BAD_ID)), st.integers(1, 5), max_size=2)
SENT = st.tuples(INBOXES, st.integers(0, 30), st.integers(1, 9), st.sampled_from((0, 70_000)), st.booleans(), REJECTED)


@dataclass
class Account:
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: Counter[Refusal] = field(default_factory=Counter)


class Model(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="spool-model-"))
        self.lives = 0
        self.folder = self.root / "0"
        self.clock = ManualClock(NOW_NS)
        self.spool = open_spool(self.folder, clock=self.clock)
        self.runner = asyncio.Runner()
        self.known: set[bytes] = set()
        self.waiting: dict[Inbox, list[Parcel]] = {inbox: [] for inbox in Inbox}
        self.sealed: dict[int, tuple[Batch, list[Parcel]]] = {}
        self.accounts = {signal: Account() for signal in Signal}

    def name(self, one: Parcel) -> str:
        return one.body.rstrip(b".").decode()

    @rule(sent=st.lists(SENT, min_size=1, max_size=8))
    def put(self, sent: list[tuple[Inbox, int, int, int, bool, dict[Refusal, int]]]) -> None:
        parcels = [
            parcel(f"{inbox.value} {n}", inbox=inbox, items=items, size=size, dedup=dedup, rejected=rejected)
            for inbox, n, items, size, dedup, rejected in sent
        ]
        receipts = self.runner.run(self.put_all(parcels))
        for one, receipt in zip(parcels, receipts, strict=True):
            account = self.accounts[one.inbox.signal]
            items = one.items + sum(one.rejected.values())
            account.received += items
            assert receipt == (one.dedup and one.digest in self.known)
            if receipt:
                account.duplicate += items
            else:
                account.rejected.update(one.rejected)
                self.waiting[one.inbox].append(one)
                self.known |= {one.digest} if one.dedup else set()

    async def put_all(self, parcels: list[Parcel]) -> list[bool]:
        return [receipt.duplicate for receipt in await asyncio.gather(*map(self.spool.put, parcels))]

    @rule(inbox=INBOXES, reason=st.sampled_from(Refusal), items=st.integers(1, 5))
    def refuse(self, inbox: Inbox, reason: Refusal, items: int) -> None:
        self.spool.refuse(inbox.signal, reason, items)
        self.accounts[inbox.signal].received += items
        self.accounts[inbox.signal].rejected[reason] += items

    @rule(inbox=INBOXES)
    def seal(self, inbox: Inbox) -> None:
        batch = self.spool.seal(inbox)
        if batch is None:
            assert self.waiting[inbox] == []
            return
        assert batch.id not in self.sealed
        self.sealed[batch.id] = (batch, self.waiting[inbox])
        self.waiting[inbox] = []

    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        if not self.sealed:
            return
        batch, parcels = self.sealed.pop(data.draw(st.sampled_from(sorted(self.sealed))))
        dead = data.draw(st.sets(st.integers(0, len(parcels) - 1), max_size=2))
        self.spool.done(batch, dead=[batch.parcels[place].id for place in dead])
        account = self.accounts[batch.inbox.signal]
        refused = sum(parcels[place].items for place in dead)
        account.stored += sum(one.items for one in parcels) - refused
        account.rejected[Refusal.ENGINE] += refused

    @rule(seconds=st.floats(-5, 5))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def crash(self) -> None:
        self.put([(Inbox.TRACES, 0, 1, 0, False, {})])  # refusals are durable with the next commit
        self.lives += 1
        image = crash_image(self.folder, self.root / str(self.lives))
        self.spool.close()
        self.folder = image
        self.spool = open_spool(self.folder, clock=self.clock)
        assert self.spool.warnings == []

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = open_spool(self.folder, clock=self.clock)
        assert self.spool.warnings == []

    @invariant()
    def unfinished_batches_are_as_they_were_sealed(self) -> None:
        found = self.spool.unfinished()
        assert found == [batch for _, (batch, _) in sorted(self.sealed.items())]
        if found:
            oldest, parcels = self.sealed[found[0].id]
            assert names(found[0]) == [self.name(one) for one in parcels]
            assert found[0].size == oldest.size

    @invariant()
    def every_item_is_accounted_for(self) -> None:
        spooled: Counter[Signal] = Counter()
        for one in self.everything():
            spooled[one.inbox.signal] += one.items
        for signal, counts in self.spool.intake().items():
            account = self.accounts[signal]
            rejected = {reason: items for reason, items in account.rejected.items() if items}
            expected = Counts(account.received, account.stored, spooled[signal], account.duplicate, rejected)
            assert counts == expected
            assert counts.missing == 0

    @invariant()
    def the_backlog_is_what_is_in_there(self) -> None:
        backlog = self.spool.backlog()
        parcels = self.everything()
        assert (backlog.parcels, backlog.size) == (len(parcels), sum(len(one.body) for one in parcels))
        assert backlog.unsealed == sum(map(len, self.waiting.values()))

    def everything(self) -> list[Parcel]:
        sealed = [one for _, parcels in self.sealed.values() for one in parcels]
        return sealed + [one for parcels in self.waiting.values() for one in parcels]

    def teardown(self) -> None:
        self.spool.close()
        self.runner.close()
        shutil.rmtree(self.root)


@pytest.fixture(autouse=True)
def _commit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "_COMMIT_EVERY_S", 0)


TestModel = pytest.mark.usefixtures("_commit_at_once")(Model.TestCase)
TestModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
