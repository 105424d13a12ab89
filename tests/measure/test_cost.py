"""What models cost: list prices, told apart from what has none."""

from __future__ import annotations

import pytest

from botwatch.measure.price import price
from tests.measure.facts import T0, Asked, Facts, where

# Dollars for a million tokens, in and out, as the provider lists them.
GPT_4O = (2.50, 10.00)
HAIKU = (0.80, 4.00)


def listed(prices: tuple[float, float], tokens_in: int, tokens_out: int) -> float:
    return (prices[0] * tokens_in + prices[1] * tokens_out) / 1e6


@pytest.fixture(scope="module", autouse=True)
def _called(facts: Facts) -> None:
    gpt = {"model": "gpt-4o", "provider": "openai", "tokens_in": 10_000, "tokens_out": 1_000}
    haiku = {"model": "claude-3-5-haiku-latest", "provider": "anthropic", "tokens_in": 5_000, "tokens_out": 400}
    house = {"model": "house-made", "provider": "ollama", "tokens_in": 900, "tokens_out": 90}
    facts.spans(
        *({"at": T0 + 20 * i, "ms": 1, **gpt} for i in range(3)),
        {"at": T0 + 5, "ms": 1, "host": "b", **haiku},
        {"at": T0 + 5, "ms": 1, "bot": "help", **house},
    )
    facts.logs({"at": T0 + 12})


async def test_the_cost_is_tokens_times_the_list_price(facts: Facts) -> None:
    gpt, haiku = listed(GPT_4O, 30_000, 3_000), listed(HAIKU, 5_000, 400)
    asked: Asked = {"where": where(bot="shop")}
    assert await facts.one("model.cost", **asked) == pytest.approx(gpt + haiku)
    assert await facts.value("model.cost", by=("model", "provider"), **asked) == {
        ("gpt-4o", "openai"): pytest.approx(gpt),
        ("claude-3-5-haiku-latest", "anthropic"): pytest.approx(haiku),
    }
    assert await facts.value("model.cost", by=("host",), **asked) == {
        ("a",): pytest.approx(gpt),
        ("b",): pytest.approx(haiku),
    }


async def test_the_cost_over_time_is_zero_where_nothing_was_called(facts: Facts) -> None:
    once = pytest.approx(listed(GPT_4O, 10_000, 1_000))
    line = await facts.line("model.cost", T0, T0 + 70, 10, where=where(bot="shop", model="gpt-4o"))
    assert line == [once, 0, once, None, once, None, None]


async def test_a_model_without_a_price_is_null_and_told(facts: Facts) -> None:
    (found,) = await facts.series("model.cost", T0, T0 + 10, 10, by=("bot",), where=where(bot="help"))
    assert found.points == ((T0, None),)
    assert found.notes == ("no price is known for house-made of ollama: it is left out",)
    (everything,) = await facts.series("model.cost", T0, T0 + 60, 60)
    assert everything.points[0][1] == pytest.approx(listed(GPT_4O, 30_000, 3_000) + listed(HAIKU, 5_000, 400))
    assert everything.notes == found.notes


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("", "gpt-4o"),
        ("azure.ai.openai", "gpt-4o"),
        ("gcp.vertex_ai", "gemini-2.5-pro"),
        ("gcp.gen_ai", "gemini-2.5-pro"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("mistral_ai", "mistral-large-latest"),
        ("x_ai", "grok-3"),
    ],
)
def test_the_providers_of_opentelemetry_are_found(provider: str, model: str) -> None:
    found = price(provider, model, T0)
    assert found is not None
    assert found.token_in > 0
    assert found.token_out > found.token_in


def test_the_lowest_tier_is_the_list_price() -> None:
    found = price("google", "gemini-2.5-pro", T0)
    assert found is not None
    assert found.of(0, 1_000_000, 0) == pytest.approx(1.25)


def test_a_call_may_have_a_price_of_its_own() -> None:
    found = price("perplexity", "sonar", T0)
    assert found is not None
    assert found.of(1_000, 0, 0) == pytest.approx(12)
    assert found.of(0, 1_000_000, 1_000_000) == pytest.approx(2)


async def test_a_price_that_depends_on_the_hour_is_that_of_each_hour(facts: Facts) -> None:
    """DeepSeek is cheaper from 16:30 to 0:30 UTC."""
    at = T0 + 10 * 86_400
    call = {"ms": 1, "bot": "night", "model": "deepseek-chat", "provider": "deepseek", "tokens_in": 1_000_000}
    facts.spans({**call, "at": at + 12 * 3_600}, {**call, "at": at + 20 * 3_600})
    asked: Asked = {"where": where(bot="night")}
    assert await facts.one("model.cost", at, at + 86_400, **asked) == pytest.approx(0.27 + 0.135)
    assert await facts.line("model.cost", at, at + 86_400, 86_400, **asked) == [pytest.approx(0.27 + 0.135)]
    cents = await facts.line("model.cost", at, at + 86_400, 21_600, **asked)
    assert cents == [None, None, pytest.approx(0.27), pytest.approx(0.135)]
    assert await facts.one("model.cost", at, at + 86_400, aggregation="rate", **asked) == pytest.approx(0.405 / 86_400)


@pytest.mark.parametrize("hostile", ["", "x" * 10_000, "(((((a+)+)+)+)$", "\0", "gpt-4o'; --"])
def test_a_strange_model_has_no_price_and_does_no_harm(hostile: str) -> None:
    found = price("ollama", hostile, T0)
    assert found is None
