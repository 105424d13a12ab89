"""Processes that start again and again are told from deploys, from new workers, and from one restart."""

from __future__ import annotations

from tests.measure.facts import T0, Facts, where


def lives(facts: Facts, bot: str, *times: tuple[str, int, int], version: str = "1", host: str = "a") -> None:
    """Heartbeats of each process, every ten seconds from its start to its end."""
    facts.points(
        *(
            {"metric": "process.uptime", "at": T0 + at, "value": at - start, "bot": bot, "host": host, "resource": {
                "service.instance.id": instance, "service.version": version}}
            for instance, start, end in times
            for at in range(start, end, 10)
        )
    )  # fmt: skip


async def counted(facts: Facts, bot: str, end: int = 3_600) -> tuple[float | None, float | None]:
    starts = await facts.one("process.starts", T0, T0 + end, where=where(bot=bot))
    return starts, await facts.one("process.restarts", T0, T0 + end, where=where(bot=bot))


async def test_a_crash_loop_counts_each_time_it_starts_again(facts: Facts) -> None:
    lives(facts, "loops", *((f"p{n}", 60 * n, 60 * n + 40) for n in range(5)), ("last", 300, 900))
    assert await counted(facts, "loops") == (6, 5)


async def test_a_deploy_of_many_workers_is_no_restart(facts: Facts) -> None:
    lives(facts, "deployed", *((f"old{n}", 0, 1_500) for n in range(8)))
    lives(facts, "deployed", *((f"new{n}", 1_500 + n, 3_000) for n in range(8)), version="2")
    assert await counted(facts, "deployed") == (16, 0)


async def test_more_workers_are_no_restart_and_one_whose_end_is_not_sure_has_not_ended(facts: Facts) -> None:
    lives(facts, "grows", ("a", 0, 300), ("b", 100, 300), ("c", 200, 300))
    assert await counted(facts, "grows") == (3, 0)
    lives(facts, "young", ("a", 0, 30), ("b", 31, 60))
    assert await counted(facts, "young", 60) == (2, 0)


async def test_where_a_bot_is_seen_nothing_is_zero_and_elsewhere_unknown(facts: Facts) -> None:
    facts.logs({"at": T0 + 1, "bot": "plain"})
    assert await counted(facts, "plain") == (0, 0)
    assert await counted(facts, "nobody") == (None, None)


async def test_by_host_and_version(facts: Facts) -> None:
    lives(facts, "places", ("a", 0, 50), ("b", 100, 600), host="h1")
    lives(facts, "places", ("c", 0, 600), host="h2", version="2")
    found = await facts.value("process.restarts", T0, T0 + 600, by=("host", "version"), where=where(bot="places"))
    assert found == {("h1", "1"): 1, ("h2", "2"): 0}
