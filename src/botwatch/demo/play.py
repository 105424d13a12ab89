"""One process of a bot, playing its scripts through the SDK as a real bot would.

Nothing here knows the server. The dice fall with the same shares as in `sql/3_plan.sql`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

import botwatch_sdk as sdk
from botwatch.clock import SECOND_NS, Clock
from botwatch.demo import world
from botwatch.demo.backends import reached
from botwatch.demo.dice import deviate, fate
from botwatch.demo.scripts import SLOTS
from botwatch.demo.world import Action, Bot, Call, CallFailed, Failure, Fault, Part, Script, Step

Sleep = Callable[[float], Awaitable[None]]

_ANSWERS: Final = {429: Failure.LIMITED, 504: Failure.TIMEOUT}
_FAILURES: Final = {kind: failure for failure, kind in world.EXCEPTIONS.items()}
_AROUND: Final = 0.3  # how far token counts spread


class Player:
    """Plays one conversation or one ticket; many at a time. `ports` are those of the services that run here."""

    def __init__(
        self,
        bot: Bot,
        dice: Random,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        ports: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._sleep = sleep
        self._ports = ports
        self._bot = bot
        self._dice = dice
        self._clock = clock
        self._log = logging.getLogger(bot.name)
        self._tracer = trace.get_tracer(world.CALL_SCOPE)

    def script(self) -> Script:
        return self._dice.choices(self._bot.scripts, [script.weight for script in self._bot.scripts])[0]

    # --- conversations

    async def converse(self, script: Script) -> None:
        channel = self._dice.choices(self._bot.channels, [channel.share for channel in self._bot.channels])[0]
        user = world.user_id(channel.contact, int(self._dice.random() ** 2 * self._bot.users_on(channel)))
        words = {name: self._dice.choice(choices) for name, choices in SLOTS.items()}
        session_id = f"{self._bot.name}-{self._dice.getrandbits(64):016X}".lower()
        with sdk.session(session_id, user=user, channel=channel.name):
            if await self._goes_on(script, words):
                await self._finish(script)
            elif self._dice.random() < world.ABANDON_SHARE:
                await self._sleep(world.ABANDON_S)
                sdk.end_session("abandoned")

    async def _goes_on(self, script: Script, words: Mapping[str, str]) -> bool:
        """Whether the user stayed to the end."""
        for step in script.steps:
            if not await self._turn(script, step, words):
                return False
            if step is script.steps[-1]:
                return True
            if step.part is Part.BOT and self._dice.random() < world.LEAVE_SHARE:
                return False
            await self._sleep(step.pause_s * math.exp(world.TYPING_SIGMA * deviate(self._dice)))
        return True

    async def _finish(self, script: Script) -> None:
        await self._sleep(2.0)
        if self._dice.random() < world.FEEDBACK_SHARE:
            score = script.score if self._dice.random() < 0.85 else -script.score
            words = world.PRAISE if score > 0 else world.BLAME
            sdk.feedback(score, self._dice.choice(words) if self._dice.random() < 0.4 else None)
        await self._sleep(2.0)
        sdk.end_session(script.outcome)

    async def _turn(self, script: Script, step: Step, words: Mapping[str, str]) -> bool:
        """Whether the user heard anything and goes on."""
        reply = fill(step.reply, words)
        with sdk.turn(fill(step.say, words)) as turn:
            await self._pause(world.GATEWAY_MS, world.OWN_SIGMA)
            try:
                for name in step.actions:
                    await self.act(self._bot.actions[name], script)
            except CallFailed as error:
                return self._failed(turn, error) and step.part is not Part.HANDOFF
            fate = self._dice.random() if step.part is Part.BOT else 1.0
            if fate < world.SILENT_SHARE:
                return False
            wait_s = _wait_s(step.part, late=fate < world.SILENT_SHARE + world.LATE_SHARE)
            if step.part is Part.HANDOFF:
                sdk.handoff("asked for a person", to="service desk")
            elif wait_s is None:
                turn.reply(reply)
        if wait_s is not None:
            await self._sleep(self._dice.uniform(*wait_s))
            sdk.message(
                reply,
                author="bot" if step.part is Part.BOT else "agent",
                reply_to=None if step.part is Part.HANDOFF else turn.id,
            )
        return True

    def _failed(self, turn: sdk.Turn, error: CallFailed) -> bool:
        """Tell the user, or give up. Whether the user heard something."""
        heard = self._dice.random() < world.APOLOGY_SHARE
        self._tell(error, gives_up=not heard)
        if heard:
            turn.reply(world.APOLOGIES[_FAILURES[type(error)]])
        else:
            turn.fail(error)
        return heard

    # --- tickets

    async def ticket(self, script: Script, *, number: str) -> None:
        """A document from the queue. Its number goes along as the correlation id."""
        words = {name: self._dice.choice(choices) for name, choices in SLOTS.items()} | {"ticket": number}
        channel = self._bot.channels[0]
        words["user"] = world.user_id(channel.contact, int(self._dice.random() ** 2 * self._bot.users))
        words["at"] = dt.datetime.fromtimestamp(self._clock.now_ns() // SECOND_NS, dt.UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        step = script.steps[0]
        with (
            sdk.correlation(number),
            self._tracer.start_as_current_span(
                world.TICKET_SPAN,
                kind=SpanKind.CONSUMER,
                attributes=world.TICKET_ATTRIBUTES,
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
        ):
            sdk.payload(world.TICKET_SOURCE, fill(script.later or step.say, words))
            await self._pause(world.GATEWAY_MS, world.OWN_SIGMA)
            try:
                for name in step.actions:
                    await self.act(self._bot.actions[name], script)
            except CallFailed as error:
                self._tell(error, gives_up=True)
                span.set_attribute("error.type", world.exception_name(_FAILURES[type(error)]))
                span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")

    # --- what a bot does

    async def act(self, action: Action, script: Script) -> None:
        with sdk.action(action.name):
            await self._pause(action.median_ms, world.OWN_SIGMA)
            for call in action.calls:
                await self.call(call)
            if action.log:
                self._log.info(action.log, extra={"action": action.name, "intent": script.name})

    async def call(self, call: Call) -> None:
        """A call as an instrumentation library would record it."""
        with self._tracer.start_as_current_span(
            call.name, kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
        ) as span:
            ms, failure, fault = await self._outcome(call)
            if failure is not None:
                span.set_attributes(fault.attributes)
                span.set_status(StatusCode.ERROR, fault.message)
                raise world.EXCEPTIONS[failure](fault.message, call.dependency)
            span.set_attributes(call.attributes)
            if call.tokens_in:
                span.set_attribute("gen_ai.usage.input_tokens", self._about(call.tokens_in))
                span.set_attribute("gen_ai.usage.output_tokens", self._about(call.tokens_out))
        if ms > call.slow_ms:
            self._log.warning(
                "%s is slow: %d ms", call.dependency, ms, extra={"dependency": call.dependency, "duration_ms": int(ms)}
            )

    async def _outcome(self, call: Call) -> tuple[float, Failure | None, Fault]:
        """What became of it after how long: of what runs here, really; of what does not, as the dice fall."""
        port = self._ports.get(call.dependency)
        if port is not None:
            return await self._real(call, port)
        ms, failure = fate(call, self._dice)
        await self._sleep(ms / 1_000)
        return ms, failure, call.fault(failure or Failure.ERROR)

    async def _real(self, call: Call, port: int) -> tuple[float, Failure | None, Fault]:
        began_ns = self._clock.now_ns()
        failure: Failure | None
        try:
            async with asyncio.timeout(call.timeout_ms / 1_000):
                status = await reached(port, call, self._dice)
        except TimeoutError:
            failure, fault = Failure.TIMEOUT, call.timeout
        except OSError as error:
            failure, fault = Failure.ERROR, call.unanswered(type(error).__name__)
        else:
            failure = _ANSWERS.get(status, Failure.ERROR) if status >= 400 else None
            fault = call.fault(failure or Failure.ERROR)
        return (self._clock.now_ns() - began_ns) / 1e6, failure, fault

    def _tell(self, error: CallFailed, *, gives_up: bool) -> None:
        if isinstance(error, world.RateLimited):
            told = {"event.name": "rate_limited", "status_code": 429, "retry_after_ms": world.RETRY_AFTER_S * 1_000}
            self._log.warning("%s", error, extra={"dependency": error.dependency, **told})
        else:
            self._log.log(
                logging.ERROR if gives_up else logging.WARNING, "%s", error, extra={"dependency": error.dependency}
            )

    # --- dice

    async def _pause(self, median_ms: float, sigma: float) -> None:
        await self._sleep(median_ms * math.exp(sigma * deviate(self._dice)) / 1_000)

    def _about(self, tokens: int) -> int:
        return int(tokens * math.exp(_AROUND * deviate(self._dice)))


def _wait_s(part: Part, *, late: bool) -> tuple[float, float] | None:
    """How long after the turn an answer comes that does not come within it."""
    if late:
        return world.LATE_S
    return {Part.HANDOFF: world.AGENT_JOINS_S, Part.AGENT: world.AGENT_TYPES_S}.get(part)


def fill(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def busy(clock: Clock, zone: ZoneInfo) -> float:
    """The share of the busiest hour that it is now."""
    return world.rhythm(dt.datetime.fromtimestamp(clock.now_ns() / SECOND_NS, zone))
