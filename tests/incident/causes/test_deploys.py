"""When another version of a bot is a deploy, and when it is only its processes coming and going."""

from __future__ import annotations

from botwatch.incident.causes.deploys import Deploy, Stretch, deploys

S = 10**9


def stretch(version: str, began_s: int, ended_s: int, bot: str = "shop", environment: str = "") -> Stretch:
    return Stretch(bot, environment, version, began_s * S, ended_s * S)


def told(*stretches: Stretch) -> list[tuple[str, str]]:
    return [(found.before, found.now.version) for found in deploys(stretches)]


def test_the_first_version_that_is_known_came_after_none() -> None:
    assert told(stretch("1", 0, 1_000)) == [("", "1")]


def test_another_version_is_a_deploy_and_tells_how_long_both_ran() -> None:
    found = deploys([stretch("1", 0, 1_000), stretch("2", 900, 5_000)])
    assert found[1] == Deploy(stretch("2", 900, 5_000), "1", 1_000 * S)
    assert found[1].beside_ns == 100 * S


def test_going_back_to_an_old_version_is_a_deploy_too() -> None:
    assert told(stretch("1", 0, 1_000), stretch("2", 990, 2_000), stretch("1", 2_010, 3_000)) == [
        ("", "1"), ("1", "2"), ("2", "1"),
    ]  # fmt: skip


def test_the_same_version_after_a_long_pause_is_none() -> None:
    assert told(stretch("1", 0, 1_000), stretch("1", 50_000, 60_000)) == [("", "1")]


def test_an_old_process_that_starts_again_while_others_of_its_version_run_is_none() -> None:
    """As in a deploy that goes on host by host."""
    long = stretch("1", 0, 3_000)
    assert told(long, stretch("2", 1_000, 5_000), stretch("1", 2_900, 3_100)) == [("", "1"), ("1", "2")]


def test_bots_and_environments_have_versions_of_their_own() -> None:
    here = [stretch("1", 0, 100), stretch("2", 50, 100, environment="staging"), stretch("2", 60, 100, bot="other")]
    assert told(*here) == [("", "1"), ("", "2"), ("", "2")]
