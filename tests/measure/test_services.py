"""What the measures of services make of the points probes send."""

from __future__ import annotations

from botwatch.measure.query import Query
from tests.measure.facts import T0, Facts


def point(metric: str, at: int, value: float, service: str = "redis") -> dict[str, object]:
    labels = {"service": service, "kind": "redis"}
    return {"metric": metric, "bot": "", "at": T0 + at, "value": value, "labels": labels}


async def values(facts: Facts, measure: str, step: int | None = None, by: tuple[str, ...] = ()) -> list[object]:
    (answer,) = await facts.measures.many([Query(measure, T0, T0 + 40, step, by)])
    assert isinstance(answer, list)
    return [[value for _, value in series.points] for series in answer]


async def test_up_is_the_lowest_and_nothing_where_it_is_unknown(facts: Facts) -> None:
    facts.points(point("service.up", 1, 1), point("service.up", 11, 1), point("service.up", 12, 0))
    facts.points(point("service.up", 31, 1), point("service.up", 31, 0, "qdrant"))
    assert await values(facts, "service.up", 10, ("service",)) == [[None, None, None, 0], [1, 0, None, 1]]
    assert await values(facts, "service.up") == [[0]]
    assert await values(facts, "service.availability", None, ("service",)) == [[0], [75]]


async def test_latency_saturation_and_flaps(facts: Facts) -> None:
    facts.points(point("service.latency", 1, 0.002), point("service.latency", 11, 0.004))
    facts.points(point("service.saturation", 1, 0.5), point("service.saturation", 11, 0.9))
    facts.points(*({**point("service.flaps", at, at / 10), "kind": "cumulative"} for at in (0, 10, 20)))
    assert await values(facts, "service.latency") == [[3]]
    assert await values(facts, "service.saturation") == [[90]]
    assert await values(facts, "service.flaps") == [[2]]
