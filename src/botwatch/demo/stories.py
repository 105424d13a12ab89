"""What went wrong in the demo's day, so that there is something to find.

Each story lasts a while, concerns one bot, and stands at a fixed distance from the moment the demo
starts: only the rush of the evening stands where evenings are.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from botwatch.clock import SECOND_NS

_MINUTE_NS = 60 * SECOND_NS
_HOUR_NS = 60 * _MINUTE_NS


class What(StrEnum):
    SLOW = "slow"  # the subject, a dependency, takes `factor` times as long
    LIMITED = "limited"  # the subject answers 429 to this share of calls
    OUTAGE = "outage"  # the bot's processes are gone
    MUTE = "mute"  # on the subject, a channel, the bot hears and says nothing
    DRIFT = "drift"  # documents arrive in another shape
    DEPLOY = "deploy"  # from then on another version runs


@dataclass(frozen=True, slots=True)
class Story:
    what: What
    bot: str
    subject: str
    from_ns: int
    to_ns: int
    factor: float = 1.0
    told: str = ""  # for the welcome


def stories(now_ns: int, time_zone: str) -> tuple[Story, ...]:
    rush_ns = _last_evening_ns(now_ns, time_zone)
    return (
        Story(What.SLOW, "orders", "carrier-api", now_ns - 9 * _HOUR_NS, now_ns - 8 * _HOUR_NS, 20.0,
              "orders: for an hour carrier-api was twenty times slower"),
        Story(What.LIMITED, "assistant", "anthropic", rush_ns, rush_ns + 30 * _MINUTE_NS, 0.6,
              "assistant: in the evening anthropic answered 429"),
        Story(What.OUTAGE, "booking", "", now_ns - 5 * _HOUR_NS - 20 * _MINUTE_NS, now_ns - 5 * _HOUR_NS, 1.0,
              "booking: gone for twenty minutes after a crash"),
        Story(What.MUTE, "support", "Email", now_ns - 100 * _MINUTE_NS, now_ns - 75 * _MINUTE_NS, 1.0,
              "support: no mail was answered for twenty-five minutes, and nothing threw"),
        Story(What.DRIFT, "triage", "helpdesk", now_ns - 3 * _HOUR_NS, 2**62, 1.0,
              "triage: billing tickets say what they are about in another place, since its last deploy"),
        Story(What.DEPLOY, "triage", "", now_ns - 3 * _HOUR_NS, now_ns),
    )  # fmt: skip


def _last_evening_ns(now_ns: int, time_zone: str) -> int:
    """When the last rush at half past seven began; another half hour of that evening while one is going on."""
    now = dt.datetime.fromtimestamp(now_ns / SECOND_NS, ZoneInfo(time_zone))
    began = now.replace(hour=19, minute=30, second=0, microsecond=0)
    if now < began:
        began -= dt.timedelta(days=1)
    elif now < began + dt.timedelta(minutes=30):
        began -= dt.timedelta(minutes=45)
    return int(began.timestamp()) * SECOND_NS
