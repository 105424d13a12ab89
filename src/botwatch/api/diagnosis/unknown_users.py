"""Sessions without a user: what the bot does not say, and which call would say it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from botwatch.api.diagnosis.facts import BotUsers, Users
from botwatch.api.diagnosis.finding import Finding, notice, problem

UNKNOWN_PERCENT_MIN: Final = 5


def no_id(facts: Users) -> Iterator[Finding]:
    for bot, rows in groupby(sorted(facts.bots, key=lambda row: (row.bot, row.channel)), key=lambda row: row.bot):
        found = list(rows)
        sessions, unknown = sum(row.sessions for row in found), sum(row.unknown for row in found)
        if not unknown or 100 * unknown < UNKNOWN_PERCENT_MIN * sessions:
            continue
        channels = sorted({row.channel or "(none)" for row in found if row.unknown})
        partly = len(channels) < len(found)
        yield problem(
            "no_user_id",
            f"{unknown} of {sessions} sessions of {bot} within a day have no user: its events carry no id"
            + (f" on the channel {', '.join(channels)}." if partly else "."),
            _call(found),
            {"bot": bot},
            sessions=sessions,
            unknown=unknown,
            channels=", ".join(channels),
        )


def _call(found: list[BotUsers]) -> str:
    """What to write where; without a session of its own even the conversation is only guessed."""
    bare = any(row.traced for row in found)
    if any(row.by_our_sdk for row in found):
        told = "session=CHAT_ID, user=USER_ID" if bare else "user=USER_ID"
        return f"pass it where the message comes in: bot.turn(text, {told}) or bot.session(CHAT_ID, user=USER_ID)"
    wanted = "'session.id' and 'user.id' attributes" if bare else "'user.id' attribute"
    return f"set the {wanted} on the bot.message events (or on the spans of model calls), or use botwatch-sdk"


def masked(facts: Users) -> Iterator[Finding]:
    if not facts.shown and any(row.unknown < row.sessions for row in facts.bots):
        yield notice(
            "users_masked",
            "User ids are known, and shown masked to you.",
            "an admin sees them whole; the setting show_users says who does",
        )


FINDERS: Final = (no_id, masked)
