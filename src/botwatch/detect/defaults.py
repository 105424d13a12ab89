"""The rules there are before anybody has made one. Each can be changed or switched off by its name.

They follow the table of important metrics: where it has a warning and a critical limit there are two rules, and the
warning keeps quiet while the critical one is open. None judges by a single spike, reply or failure.
"""

from __future__ import annotations

from typing import Final

from botwatch.detect.defaults_calls import CALLS, STATES
from botwatch.detect.defaults_learned import LEARNED
from botwatch.detect.defaults_words import AT_MOST_NOTHING, OVER_WITHOUT_DATA, high, last, pair, rule, steady
from botwatch.detect.rule import Aggregation, Kind, NoData, Operand, Rule, Severity

_QUEUE: Final = "broker,queue,group"  # the groups of one stream fall behind each by itself
_SELDOM: Final = {"timeframe": "5m"}  # some brokers and services are asked by the minute, or more seldom
_UNANSWERED: Final = {
    "field": "turns.unanswered",
    "per": "turns.count",
    "aggregation": Aggregation.SUM,
    "by": "bot,channel",  # of one that is not answered at all, a busier one would make little
    "timeframe": "15m",
    "guard": "turns.unanswered",
    "no_data": NoData.OK,
    "message": "Users write and get no reply: look at the sessions, and at what the bot waits for.",
}

_BOTS: Final = (
    *high(
        "Response time",
        (2_000, 5_000),
        (1_800, 4_500),
        field="response.time",
        by="bot",
        timeframe="5m",
        **{"for": "5m"},  # longer than one late reply counts
        guard="turns.answered",
        guard_min=3,
        message="Look at the slowest dependency of its traces.",
    ),
    *high(
        "Error rate",
        (0.01, 0.05),
        (0.008, 0.04),
        field="action.errors",
        per="action.count",
        aggregation=Aggregation.SUM,
        by="bot",
        timeframe="10m",
        guard="action.errors",
        guard_min=5,
        no_data=NoData.OK,
        message="Look at which action fails, and at its faults.",
    ),
    rule(
        "Messages unanswered",
        Severity.WARNING,
        value=0.2,
        recover=0.1,
        guard_min=2,
        depends_on="Bot does not answer",
        **_UNANSWERED,
    ),
    rule(  # within a minute of the first deadline, where enough is asked; the next one is sure
        "Bot stopped answering",
        Severity.WARNING,
        value=0.4,
        recover=0.2,
        guard_min=3,
        cooldown="15m",
        depends_on="Bot does not answer",
        **{**_UNANSWERED, "timeframe": "2m"},
    ),
    rule("Bot does not answer", Severity.CRITICAL, value=0.5, recover=0.2, guard_min=3, **_UNANSWERED),
    rule(
        "Bot is silent",
        Severity.CRITICAL,
        kind=Kind.ABSENCE,
        field="bot.seen",
        by="bot",
        timeframe="5m",
        message="Nothing at all comes from it: look whether it runs, and whether it can reach this server.",
    ),
    rule(
        "Process is gone",
        Severity.CRITICAL,
        **last("processes.running", "bot,process", "The agent was told to watch it, and it does not run."),
        **AT_MOST_NOTHING,
    ),
    rule(
        "Process keeps restarting",
        Severity.WARNING,
        field="process.restarts",
        by="bot,host",
        aggregation=Aggregation.SUM,
        value=4,
        recover=1,
        timeframe="15m",
        message="It ends within ten minutes, again and again: look at what it logs before it ends, "
        "and at what changed before the first of them.",
        **OVER_WITHOUT_DATA,
    ),
    *pair(
        ("Memory leak", "Memory leak critical"),
        (86_400, 14_400),
        (108_000, 18_000),
        operand=Operand.AT_MOST,
        **last(
            "memory.time_left",
            "bot,instance",
            "Restart it before it is killed, and look for what it keeps.",
            timeframe="5m",
            **OVER_WITHOUT_DATA,
        ),
    ),
    *high(
        "Limit usage",
        (85, 95),
        (80, 92),
        **steady("limit.usage", "bot,instance,limit", "Raise the limit, or use less, before the process is stopped."),
    ),
)

_MACHINES: Final = (
    *high("CPU usage", (70, 85), (65, 80), **steady("cpu.usage", "host", "Scale up, or optimise.")),
    *high("Memory usage", (75, 85), (72, 82), **steady("mem.usage", "host", "Add memory, or keep less in caches.")),
    *high("Disk usage", (80, 90), (78, 88), **steady("disk.usage", "host,device", "Clean up, or add storage.")),
    rule(
        "Processes killed for memory",
        Severity.CRITICAL,
        field="memory.kills",
        by="host",
        aggregation=Aggregation.SUM,
        value=1,
        timeframe="5m",
        message="The kernel ran out of memory: look at what was killed, and at what took it.",
        **OVER_WITHOUT_DATA,
    ),
)

_QUEUES: Final = (
    *high("Queue depth", (100, 500), (80, 400), **steady("queue.depth", _QUEUE, "Look whether its consumers keep up.")),
    *high("Queue age", (300, 1_800), (240, 1_500), **steady("queue.age", _QUEUE, "Look at what waits in front.")),
    *pair(
        ("Queue grows", "Queue grows and grows"),
        (300, 1_800),
        (200, 1_200),
        **last(
            "queue.growing", _QUEUE, "It fills faster than it drains: add consumers.", **_SELDOM, **OVER_WITHOUT_DATA
        ),
    ),
    *pair(
        ("Queue stalled", "Queue stalled for long"),
        (300, 900),
        (60, 60),
        **last("queue.stalled", _QUEUE, "Nothing leaves it: look at its consumers.", **_SELDOM, **OVER_WITHOUT_DATA),
    ),
    rule(
        "Queue without consumers",
        Severity.CRITICAL,
        value=1,
        **{"for": "2m"},
        **last("queue.unattended", _QUEUE, "Messages wait and nobody takes them.", **_SELDOM, **OVER_WITHOUT_DATA),
    ),
    rule(
        "Broker does not answer",
        Severity.CRITICAL,
        **last("queue.watched", "broker", "Its queues are not seen: look whether it runs, and at its address here."),
        **AT_MOST_NOTHING,
    ),
)

_SERVICES: Final = (
    rule(
        "Service is down",
        Severity.CRITICAL,
        **last("service.up", "service", "It is stopped or sealed: look at it, and at what depends on it."),
        **AT_MOST_NOTHING,
    ),
    rule(
        "Service is degraded",
        Severity.WARNING,
        operand=Operand.AT_MOST,
        value=2,
        depends_on="Service is down",
        **{"for": "2m"},
        **last(
            "service.status",
            "service",
            "It does its work, and not well: the services page says what it lacks.",
            **_SELDOM,
        ),
    ),
)

_DOCUMENTS: Final = (
    rule(
        "Documents do not fit",
        Severity.WARNING,
        value=0.02,
        recover=0.01,
        field="payload.schema_failures",
        per="payload.checked",
        aggregation=Aggregation.SUM,
        by="source",
        timeframe="10m",
        guard="payload.schema_failures",
        guard_min=3,
        message="Look at the events bot.payload.invalid: they say where the first misfit is.",
        **OVER_WITHOUT_DATA,
    ),
    rule(
        "Documents changed",
        Severity.WARNING,
        value=1,
        **last(
            "payload.drift",
            "source",
            "What comes in is not what it was: see that the bot still reads it right, or accept it as the new normal.",
            timeframe="3m",
        ),
    ),
)

_CONTRACTS: Final = (
    rule(
        "Handoffs reach a human",
        Severity.WARNING,
        kind=Kind.CONTRACT,
        options={"when": "handoff", "then": "message human", "within": "15m"},
        message="Users wait for a human: the contract's breaches name their conversations. "
        "Where the messages of humans are not sent here, switch it off.",
    ),
    rule(
        "Expectations are met",
        Severity.WARNING,
        kind=Kind.CONTRACT,
        options={"when": "expected", "then": "met", "within": "1h"},
        message="What a bot said must follow did not: the contract's breaches name it, and its conversation.",
    ),
    # Off, because it says nothing good of workers that do not tell their spans.
    rule(
        "Jobs are done",
        Severity.WARNING,
        kind=Kind.CONTRACT,
        enabled=False,
        options={"when": "put *", "then": "done *", "within": "1h"},
        message="Jobs were put into a queue and not done: the contract's breaches name the queue and the trace.",
    ),
    rule(
        "Contract is seldom kept",
        Severity.WARNING,
        field="contract.breached",
        per="contract.count",
        aggregation=Aggregation.SUM,
        value=0.2,
        recover=0.1,
        timeframe="1h",
        where="contract!=Messages get a reply",  # turns have rules of their own
        by="contract,bot",
        guard="contract.breached",
        guard_min=5,
        no_data=NoData.OK,
        message="One in five was not followed in time: look at the contract's breaches.",
    ),
)

DEFAULTS: Final[tuple[Rule, ...]] = (
    *_BOTS,
    *CALLS,
    *_MACHINES,
    *_QUEUES,
    *_SERVICES,
    *STATES,
    *_DOCUMENTS,
    *_CONTRACTS,
    *LEARNED,
)
