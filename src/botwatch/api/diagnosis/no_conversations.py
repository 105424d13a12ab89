"""Bots that call models, and of whose users and answers nothing comes: which switch keeps the messages back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from botwatch.api.diagnosis.facts import ModelCalls, Talk
from botwatch.api.diagnosis.finding import Finding, notice, problem

_SWITCH: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY"
_OR_TURNS: Final = "or say each turn with bot.turn(text) of botwatch-sdk"


def nobody_talks(facts: Talk) -> Iterator[Finding]:
    if facts.bots and not facts.talking and not facts.mute:
        yield notice(
            "no_messages",
            "Bots send, but none of them said a message or called a model within a day.",
            "say each turn with bot.turn(text) of botwatch-sdk, send bot.message events, or instrument the calls of "
            "models; workers without users have no conversations",
            bots=facts.bots,
        )


def messages_kept_back(facts: Talk) -> Iterator[Finding]:
    for bot in facts.mute:
        code, why, remedy = _reason(bot)
        yield problem(
            code,
            f"{bot.bot} calls {bot.model or 'a model'} and says no message: {why}.",
            remedy,
            {"bot": bot.bot},
            looked_at=bot.looked_at,
            with_messages=bot.with_messages,
        )


def _reason(bot: ModelCalls) -> tuple[str, str, str]:
    if bot.says_events:
        return (
            "messages_as_events_promised",
            "its resource says bot.messages = events, and no bot.message event comes",
            "say each turn with bot.turn(text) of botwatch-sdk, or take bot.messages out of the resource "
            f"and set {_SWITCH}",
        )
    if bot.event:
        return (
            "messages_in_events",
            f"its messages come as {bot.event} events, which are kept as log records and not read as messages",
            f"set {_SWITCH} where the bot runs, {_OR_TURNS}",
        )
    if not bot.with_messages:
        return (
            "messages_not_captured",
            "the spans of these calls carry no messages, which instrumentations leave out unless they are told",
            f"set {_SWITCH} where the bot runs (other instrumentations: their switch for content), {_OR_TURNS}; "
            "the setting keep_text drops the text here and keeps the turns",
        )
    return (
        "messages_of_no_user",
        "of none of these calls the newest message is a user's with text, or the answer has text",
        f"these look like steps of an agent: {_OR_TURNS.removeprefix('or ')}",
    )


FINDERS: Final = (nobody_talks, messages_kept_back)
