"""The steps of the scripts as rows: what a turn consists of, what each span is called, how its calls fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from botwatch.demo import world
from botwatch.demo.cast import FLEET
from botwatch.demo.world import Bot, Call, Failure, Part, Script, Step

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Span:
    """One span of a step: its place in the tree, and what it is or which call it makes."""

    i: int
    parent: int
    size: int
    named: Mapping[str, object]
    median_ms: float
    call: Call | None = None

    def row(self, step: int) -> Row:
        call = self.call
        if call is None:
            return {
                "step": step,
                "i": self.i,
                "parent": self.parent,
                "size": self.size,
                "kind": "internal",
                **self.named,
            }
        return {
            "step": step,
            "i": self.i,
            "parent": self.parent,
            "size": 1,
            "role": "call",
            "name": call.name,
            "kind": "client",
            "dependency": call.dependency,
            "model": call.attributes.get("gen_ai.request.model", ""),
            "provider": call.attributes.get("gen_ai.provider.name", ""),
            "slow_ms": call.slow_ms,
            "tokens_in": call.tokens_in,
            "tokens_out": call.tokens_out,
            "attributes": _texts(call.attributes),
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """A step of a script, under a number of its own."""

    number: int
    bot: Bot
    script: Script
    k: int
    step: Step
    spans: tuple[_Span, ...]

    def row(self) -> Row:
        step, calls = self.step, [span.call for span in self.spans]
        return {
            "bot": self.bot.name,
            "script": self.script.name,
            "step": self.number,
            "k": self.k,
            "part": step.part,
            "say": step.say,
            "later": self.script.later,
            "reply": step.reply,
            "pause_s": step.pause_s,
            "sizes": [span.size for span in self.spans],
            "dependencies": [call.dependency if call else "" for call in calls],
            "median_ms": [span.median_ms for span in self.spans],
            "sigma": [call.sigma if call else world.OWN_SIGMA for call in calls],
            "timeout_ms": [call.timeout_ms if call else 0 for call in calls],
            "timeouts": [call.timeout.share if call else 0 for call in calls],
            "errors": [call.error.share if call else 0 for call in calls],
            "limited": [call.limited.share if call else 0 for call in calls],
        }

    def faults(self) -> Iterator[Row]:
        calls = ((span.i, span.call) for span in self.spans if span.call is not None)
        for i, call in calls:
            for number, failure in enumerate(Failure, 1):
                fault = call.fault(failure)
                yield {
                    "step": self.number,
                    "i": i,
                    "failure": number,
                    "dependency": call.dependency,
                    "exception": world.exception_name(failure),
                    "message": fault.message,
                    "stack": stack(failure, fault.message),
                    "attributes": _texts(fault.attributes),
                }


def turns() -> Iterator[Turn]:
    steps = (
        (bot, script, k, step) for bot in FLEET for script in bot.scripts for k, step in enumerate(script.steps, 1)
    )
    for number, (bot, script, k, step) in enumerate(steps, 1):
        yield Turn(number, bot, script, k, step, tuple(_spans(bot, step)))


def _spans(bot: Bot, step: Step) -> Iterator[_Span]:
    """The turn, then each action with its calls, in the order they begin."""
    actions = [bot.actions[name] for name in step.actions]
    size = 1 + sum(1 + len(action.calls) for action in actions)
    yield _Span(1, 0, size, _root(step), world.GATEWAY_MS)
    i = 1
    for action in actions:
        i = parent = i + 1
        named = {"role": "action", "name": action.name, "action": action.name, "log": action.log}
        named_and_said = {**named, "attributes": {"bot.action": action.name}}
        yield _Span(i, 1, 1 + len(action.calls), named_and_said, action.median_ms)
        for call in action.calls:
            i += 1
            yield _Span(i, parent, 1, {}, call.median_ms, call)


def _root(step: Step) -> Row:
    if step.part is not Part.TICKET:
        return {"role": "turn", "name": "turn", "action": "turn", "attributes": {"bot.action": "turn"}}
    return {
        "role": "turn",
        "name": world.TICKET_SPAN,
        "action": world.TICKET_SPAN,
        "kind": "consumer",
        "channel": world.TICKET_ATTRIBUTES["messaging.system"],
        "attributes": world.TICKET_ATTRIBUTES,
    }


def _texts(values: Mapping[str, str | int]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def stack(failure: Failure, message: str) -> str:
    """The traceback a bot of the live fleet records for this, so that both are one and the same fault."""
    file = Path(__file__).with_name("play.py")
    return (
        "Traceback (most recent call last):\n"
        f'  File "{file}", line 167, in act\n    await self.call(call)\n'
        f'  File "{file}", line 180, in call\n    raise world.EXCEPTIONS[failure](fault.message, call.dependency)\n'
        f"{world.exception_name(failure)}: {message}\n"
    )
