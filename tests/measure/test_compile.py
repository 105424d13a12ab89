"""The compiler alone: what it puts together, and that nothing from outside stands in its SQL."""

from __future__ import annotations

from botwatch.measure import catalogue
from botwatch.measure.compile import Leaf, compile_many
from botwatch.measure.plan import plan
from botwatch.measure.query import Condition, Op, Query
from botwatch.measure.window import Kept

HOSTILE = "'); DROP TABLE ticks_10s; -- {p0:String} \\"


def leaves(*queries: Query) -> list[Leaf]:
    found: list[Leaf] = []
    for query in queries:
        name = query.measure.removeprefix("metric:")
        metric = catalogue.metric(name, "cumulative", "", "", "") if name != query.measure else None
        found += plan(query, metric or catalogue.find(query.measure), Kept(), "UTC").leaves()
    return found


def test_measures_over_the_same_rows_share_a_statement() -> None:
    window = {"start_s": 0, "end_s": 600, "by": ("bot", "action")}
    names = ("action.count", "action.errors", "action.success_rate", "action.latency.p95", "action.latency.p99")
    statements = compile_many(leaves(*(Query(name, **window) for name in names)))  # type: ignore[arg-type]
    assert sorted(len(statement.leaves) for statement in statements) == [1, 5]  # and where the bots were seen
    (together,) = (statement for statement in statements if len(statement.leaves) == 5)
    assert together.sql.count("sumMap(") == 1


def test_measures_that_count_different_rows_of_one_kind_share_a_statement() -> None:
    turns = ("turns.answered", "turns.unanswered", "turns.failed", "response.time.p95")
    statements = compile_many(leaves(*(Query(name, 0, 600) for name in turns)))
    assert sorted(len(statement.leaves) for statement in statements) == [1, 4]


def test_a_table_that_is_read_at_both_ends_of_a_window_is_opened_once() -> None:
    (statement,) = compile_many(leaves(Query("errors.rate", 10, 3 * 3_600 - 10, 300)))
    assert statement.sql.count("FROM ticks_10s ") == 1
    assert statement.sql.count("FROM ticks_5m ") == 1


def test_where_bots_were_seen_is_not_asked_for_counts_that_need_not_be_filled() -> None:
    for name in ("action.count", "model.cost", "events.in"):
        filled = compile_many(leaves(Query(name, 0, 600)))
        bare = compile_many(leaves(Query(name, 0, 600, filled=False)))
        assert len(bare) == len(filled) - 1, name


def test_another_window_grouping_or_condition_is_another_statement() -> None:
    base = Query("errors.rate", 0, 600)
    others = (
        Query("errors.rate", 0, 1_200),
        Query("errors.rate", 0, 600, 60),
        Query("errors.rate", 0, 600, by=("bot",)),
        Query("errors.rate", 0, 600, where=(Condition("bot", Op.IS, ("a",)),)),
    )
    assert len(compile_many(leaves(base, base, *others))) == 5


def test_what_comes_from_outside_is_a_parameter() -> None:
    conditions = tuple(Condition(label, op, (HOSTILE, HOSTILE + "x")) for op in Op for label in ("bot", HOSTILE))
    query = Query(f"metric:{HOSTILE}", 0, 600, 60, by=(HOSTILE, "host"), where=conditions)
    (statement,) = compile_many(leaves(query))
    assert "DROP" not in statement.sql
    assert any(HOSTILE in str(value) for value in statement.params.values())


def test_a_clock_is_never_asked() -> None:
    for measure in catalogue.MEASURES:
        if measure.public:
            for statement in compile_many(leaves(Query(measure.name, 0, 600))):
                assert "now(" not in statement.sql
                assert "today(" not in statement.sql
