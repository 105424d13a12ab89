"""What a model's calls cost by its provider's price list, from the package `genai-prices`.

A list price is in dollars a call and a token. What depends on one call (how long its context was, how much of
it came from a cache) cannot be told from sums and is left out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import Final

from botwatch import limits

# Few enough tokens for the lowest tier of every price list.
_SAMPLE: Final = 1_000
# OpenTelemetry's names of providers, where the price list does not know them.
_PROVIDERS: Final = {"": None, "x_ai": "x-ai", "gcp.gen_ai": "google", "azure.ai.inference": "azure"}


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars."""

    call: float
    token_in: float
    token_out: float

    def of(self, calls: float, tokens_in: float, tokens_out: float) -> float:
        return calls * self.call + tokens_in * self.token_in + tokens_out * self.token_out


def price(provider: str, model: str, at_s: int) -> Price | None:
    """The list price at that time, to the hour; None where the list does not have the model."""
    return _price(provider, model, at_s // 3_600)


@lru_cache(limits.PRICES_REMEMBERED_MAX)
def _price(provider: str, model: str, hour: int) -> Price | None:
    prices = _package()
    at = dt.datetime.fromtimestamp(hour * 3_600, dt.UTC)

    def dollars(tokens_in: int, tokens_out: int) -> float:
        usage = prices.Usage(input_tokens=tokens_in, output_tokens=tokens_out)
        known = _PROVIDERS.get(provider, provider)
        found = prices.calc_price(usage, model, provider_id=known, genai_request_timestamp=at)
        return float(found.total_price)

    try:
        call = dollars(0, 0)
        return Price(call, (dollars(_SAMPLE, 0) - call) / _SAMPLE, (dollars(0, _SAMPLE) - call) / _SAMPLE)
    except (LookupError, ValueError):
        return None


@cache
def _package() -> ModuleType:
    """Loaded when the first model is seen: its list is large."""
    import genai_prices  # noqa: PLC0415

    return genai_prices
