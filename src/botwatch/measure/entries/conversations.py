"""What bots are for: messages, turns, and the sessions they stand in."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import QUANTILES, SAMPLES, mean, quantile, share
from botwatch.measure.model import Counted, Direction, Empty, Measure, Thresholds, Unit
from botwatch.measure.sources import MESSAGES, TURNS
from botwatch.measure.sources_talks import COMPLETIONS, CONCURRENCY, SESSIONS

_BY_BOT: Final = "name != 'agent'"
_BY_HUMAN: Final = "name = 'agent'"

MEASURES: Final = (
    Measure(
        "messages.count", Unit.COUNT, "messages in both directions", Counted(MESSAGES, "sum[count]"), empty=Empty.SEEN
    ),
    Measure(
        "messages.in",
        Unit.COUNT,
        "messages from users",
        Counted(MESSAGES, "sum[count]", "detail = 'in'"),
        empty=Empty.SEEN,
    ),
    Measure(
        "messages.out",
        Unit.COUNT,
        "messages to users, from the bot or a human agent",
        Counted(MESSAGES, "sum[count]", "detail = 'out'"),
        empty=Empty.SEEN,
    ),
    Measure(
        "turns.count",
        Unit.COUNT,
        "messages from users whose outcome is known",
        Counted(TURNS, "sum[count]"),
        empty=Empty.SEEN,
    ),
    Measure(
        "turns.answered",
        Unit.COUNT,
        "messages from users that got a reply",
        Counted(TURNS, "sum[count]", "detail = 'answered'"),
        empty=Empty.SEEN,
        direction=Direction.LOW,
    ),
    Measure(
        "turns.unanswered",
        Unit.COUNT,
        "messages from users whose deadline passed without a reply",
        Counted(TURNS, "sum[count]", "detail = 'unanswered'"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    Measure(
        "turns.handed_off",
        Unit.COUNT,
        "messages from users after which a human took over",
        Counted(TURNS, "sum[count]", "detail = 'handed_off'"),
        empty=Empty.SEEN,
    ),
    Measure(
        "turns.failed",
        Unit.COUNT,
        "messages from users the bot knew it could not answer",
        Counted(TURNS, "sum[count]", "detail = 'failed'"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    Measure(
        "turns.answer_rate",
        Unit.PERCENT,
        "messages from users that got a reply, of all whose outcome is known",
        Counted(TURNS, share("sum[count | detail = 'answered']")),
        direction=Direction.LOW,
    ),
    Measure(
        "turns.unanswered_rate",
        Unit.PERCENT,
        "messages from users whose deadline passed without a reply, of all whose outcome is known",
        Counted(TURNS, share("sum[count | detail = 'unanswered']")),
        direction=Direction.HIGH,
    ),
    Measure(
        "response.time",
        Unit.MS,
        "average time from a user's message to the bot's reply",
        Counted(TURNS, mean(count=SAMPLES), _BY_BOT),
        direction=Direction.HIGH,
        thresholds=Thresholds(2_000, 5_000),
    ),
    *(
        Measure(
            f"response.time.{name}",
            Unit.MS,
            f"time from a user's message to the bot's reply, {name}",
            Counted(TURNS, quantile(q), _BY_BOT),
            direction=Direction.HIGH,
            thresholds=Thresholds(2_000, 5_000),
        )
        for q, name in QUANTILES
    ),
    Measure(
        "handoff.time",
        Unit.MS,
        "average time from a user's message to a human's reply",
        Counted(TURNS, mean(count=SAMPLES), _BY_HUMAN),
        direction=Direction.HIGH,
    ),
    Measure(
        "sessions.active",
        Unit.COUNT,
        "sessions with a message within the idle time and not ended, at the end of the step",
        Counted(CONCURRENCY, "mapValues(sumMap[active])[-1]"),
        empty=Empty.COUNTED,
    ),
    Measure(
        "sessions.peak",
        Unit.COUNT,
        "most sessions active at once; of several bots or channels that were chosen, their peaks in a minute added",
        Counted(CONCURRENCY, "arrayMax(mapValues(sumMap[peak]))"),
        empty=Empty.COUNTED,
    ),
    Measure(
        "sessions.count",
        Unit.COUNT,
        "sessions, counted at their last message so far",
        Counted(SESSIONS, "sum[count]"),
        empty=Empty.SEEN,
    ),
    Measure(
        "sessions.duration",
        Unit.SECONDS,
        "average time from a session's first message to its last so far",
        Counted(SESSIONS, "avg[lasted]"),
    ),
    Measure(
        "sessions.messages",
        Unit.COUNT,
        "average messages in a session, both directions",
        Counted(SESSIONS, "avg[messages]"),
    ),
    Measure(
        "sessions.ended",
        Unit.COUNT,
        "sessions that said they were over",
        Counted(SESSIONS, "sum[ended]"),
        empty=Empty.SEEN,
    ),
    Measure(
        "sessions.completed",
        Unit.COUNT,
        "sessions that were done: by the bot's definition, else ended as 'completed' or with their last turn answered",
        Counted(COMPLETIONS, "sum[completed]"),
        empty=Empty.SEEN,
        direction=Direction.LOW,
    ),
    Measure(
        "sessions.completion_rate",
        Unit.PERCENT,
        "sessions that were done, of all that are over: ended, or idle for the idle time",
        Counted(COMPLETIONS, share("sum[completed]", "sum[closed]")),
        direction=Direction.LOW,
    ),
    Measure(
        "sessions.left",
        Unit.COUNT,
        "sessions that are over and were not done",
        Counted(COMPLETIONS, "sum[closed] - sum[completed]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    Measure(
        "sessions.handed_off",
        Unit.COUNT,
        "sessions a human took over",
        Counted(SESSIONS, "sum[handed_off]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    Measure(
        "feedback.count",
        Unit.COUNT,
        "how often users said what they thought, counted with their session",
        Counted(SESSIONS, "sum[feedback_count]"),
        empty=Empty.SEEN,
    ),
    Measure(
        "feedback.score",
        Unit.SCORE,
        "average of what users thought, from -1 to 1",
        Counted(SESSIONS, mean("sum[feedback_sum]", "sum[feedback_count]")),
        direction=Direction.LOW,
    ),
    Measure(
        "sessions.score",
        Unit.SCORE,
        "average of the sessions' own averages of what their users thought, from -1 to 1",
        Counted(SESSIONS, "avg[score]"),
        direction=Direction.LOW,
    ),
    Measure(
        "sessions.disliked_rate",
        Unit.PERCENT,
        "sessions with an average score below 0, of all with feedback",
        Counted(SESSIONS, share("sum[rated | score < 0]", "sum[rated]")),
        direction=Direction.HIGH,
    ),
)
