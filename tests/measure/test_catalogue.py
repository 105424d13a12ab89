"""The catalogue as a whole: what every entry has to keep, and what people ask of it by name."""

from __future__ import annotations

import pytest

from botwatch.errors import BadRequest
from botwatch.measure import catalogue
from botwatch.measure.model import Counted, Direction, Empty, Fold, Measure, Preferred, Thresholds
from botwatch.measure.query import Query
from botwatch.measure.sources_points import Points
from botwatch.store.migrate import schema_folder

BOTPRESS = (
    *("cpu.usage", "mem.usage", "mem.free", "requests.count", "requests.latency_avg", "requests.latency_sum"),
    *("eventsIn.count", "eventsOut.count", "warnings.count", "errors.count"),
)


def test_names_and_aliases_are_unique() -> None:
    names = [name for measure in catalogue.MEASURES for name in (measure.name, *measure.aliases)]
    assert sorted(names) == sorted(set(names))
    assert not any(name.startswith("metric:") for name in names)


@pytest.mark.parametrize("field", BOTPRESS)
def test_the_fields_of_botpress_are_known(field: str) -> None:
    assert catalogue.find(field).public


def test_an_unknown_measure_is_told_what_is_near() -> None:
    with pytest.raises(BadRequest, match=r"none called 'mesages\.in'; did you mean messages\.in"):
        catalogue.find("mesages.in")
    with pytest.raises(BadRequest, match=r"none called 'events\.in\.told'"):
        catalogue.find("events.in.told")


def test_a_label_a_measure_does_not_have_is_told_what_it_has() -> None:
    query = Query("action.count", 0, 10, by=("acton",))
    with pytest.raises(BadRequest, match=r"action\.count has no label 'acton'; did you mean action") as refused:
        catalogue.check(query, catalogue.find("action.count"))
    assert refused.value.hint == "it has bot, host, action"


@pytest.mark.parametrize(("measure", "hint"), [("messages.in", "or ask for rate"), ("response.time", "leave it out")])
def test_an_aggregation_a_measure_does_not_have_is_refused(measure: str, hint: str) -> None:
    with pytest.raises(BadRequest, match="computed one way only") as refused:
        catalogue.check(Query(measure, 0, 10, aggregation="p95"), catalogue.find(measure))
    assert hint in str(refused.value.hint)


@pytest.mark.parametrize("measure", catalogue.MEASURES, ids=lambda m: m.name)
def test_an_entry_is_told_well(measure: Measure) -> None:
    assert "\n" not in measure.help
    assert measure.help[0] == measure.help[0].lower() or measure.help[:4] == "HTTP"
    assert not measure.help.endswith(".")
    for limits in filter(None, (measure.thresholds, measure.colours)):
        assert measure.direction is not Direction.NEITHER
        assert (limits.warning < limits.critical) == (measure.direction is Direction.HIGH)
    assert {"bot"} <= set(catalogue.labels(measure))


@pytest.mark.parametrize("measure", catalogue.MEASURES, ids=lambda m: m.name)
def test_a_declared_label_is_no_column_of_the_rows(measure: Measure) -> None:
    """Else a measure's SQL would speak of the one and mean the other."""
    ticks = (schema_folder() / "0001_ticks.sql").read_text(encoding="utf-8")
    if isinstance(measure.how, Counted) and isinstance(measure.how.source, Points):
        assert not [label for label in measure.how.source.joined if f"\n    {label} " in ticks]


@pytest.mark.parametrize("measure", catalogue.MEASURES, ids=lambda m: m.name)
def test_what_is_made_of_parts_adds_up_as_they_do(measure: Measure) -> None:
    if isinstance(measure.how, Preferred):
        assert (measure.how.fold is Fold.SUM) == (measure.empty is Empty.SEEN)


def test_the_important_metrics_have_the_limits_of_their_table() -> None:
    told = {found.name: found.thresholds for found in catalogue.describe() if found.thresholds}
    assert told["response.time"] == Thresholds(2_000, 5_000)
    assert told["errors.rate"] == Thresholds(1, 5)
    assert told["cpu.usage"] == Thresholds(70, 85)
    assert told["mem.usage"] == Thresholds(75, 85)
    assert told["queue.depth"] == Thresholds(100, 500)
    remedies = {found.name: found.remedy for found in catalogue.describe() if found.remedy}
    assert {"cpu.usage", "mem.usage", "disk.usage", "gpu.usage"} <= set(remedies)
    colours = {found.name: found.colours for found in catalogue.describe() if found.colours}
    assert colours == {
        "cpu.usage": Thresholds(80, 95),
        "mem.usage": Thresholds(85, 95),
        "disk.usage": Thresholds(80, 90),
        "gpu.usage": Thresholds(90, 98),
    }


def test_the_description_has_every_public_measure_and_no_part() -> None:
    described = {found.name for found in catalogue.describe()}
    assert described == {measure.name for measure in catalogue.MEASURES if measure.public}
    assert not any(name.endswith((".told", ".gauge", ".bytes", ".time.p0")) for name in described)
    (messages,) = (found for found in catalogue.describe() if found.name == "messages.in")
    assert messages.aggregations == ("rate",)
    assert messages.labels == ("bot", "host", "channel", "author", "direction")
