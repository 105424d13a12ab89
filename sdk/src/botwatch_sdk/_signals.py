"""What a bot says about its work beside messages: what must follow, how its queues stand, how fresh its state is."""

from __future__ import annotations

from botwatch_sdk import _live, _names
from botwatch_sdk._conversation import Id
from botwatch_sdk._dice import new_id
from botwatch_sdk._emit import event
from botwatch_sdk._guard import never_raises, nothing
from botwatch_sdk._text import Scalar, identifier, number


class Expectation:
    """Something that must follow. Give `name` and `id` along where another process sees it happen."""

    __slots__ = ("id", "name")

    def __init__(self, name: str, id: str) -> None:
        self.name = name
        self.id = id

    def met(self) -> None:
        """It happened. Said twice, it is the same."""
        met(self.name, self.id)


@never_raises(lambda: Expectation("", ""))
def expect(name: str, *, within_s: float, id: Id | None = None) -> Expectation:
    """From now on, `name` must be met within so many seconds."""
    expectation = Expectation(identifier(name) or "unnamed", identifier(id) or new_id())
    runtime = _live.runtime
    if runtime is None:
        _live.idle()
        return expectation
    attributes: dict[str, Scalar] = {
        _names.EXPECTED_NAME: expectation.name,
        _names.EXPECTED_ID: expectation.id,
        _names.EXPECTED_STATE: "open",
        _names.EXPECTED_WITHIN: number(within_s, name="expect(within_s)"),
    }
    event(runtime, _names.EXPECTED, attributes)
    return expectation


@never_raises(nothing)
def met(name: str, id: Id) -> None:
    """What was expected under this name and id, here or in another process, has happened."""
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    attributes = {
        _names.EXPECTED_NAME: identifier(name) or "unnamed",
        _names.EXPECTED_ID: identifier(id),
        _names.EXPECTED_STATE: "met",
    }
    return event(runtime, _names.EXPECTED, attributes)


@never_raises(nothing)
def queue(name: str, *, depth: float | None = None, age_s: float | None = None) -> None:
    """How many messages wait in a queue, and how old the oldest is. The last reading goes out with the heartbeat."""
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    return runtime.counters.queue(
        identifier(name) or "unnamed",
        None if depth is None else number(depth, name="queue(depth)"),
        None if age_s is None else number(age_s, name="queue(age_s)"),
    )


@never_raises(nothing)
def state(name: str, *, age_s: float | None = None, valid: bool | None = None) -> None:
    """How old something the bot stores is, and whether it held its own check."""
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    return runtime.counters.state(
        identifier(name) or "unnamed",
        None if age_s is None else number(age_s, name="state(age_s)"),
        invalid=valid is False,
    )
