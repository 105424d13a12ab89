"""What a model's calls cost by its provider's price list, from the package `genai-prices`.

A list price is in dollars a call and a token. What depends on one call (how long its context was, how much of
it came from a cache) cannot be told from sums and is left out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from botwatch import limits

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

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
    """The list price at that time; None where the list does not have the model."""
    listed = _listed(provider, model)
    return listed.at(dt.datetime.fromtimestamp(at_s, dt.UTC)) if listed else None


class _Listed:
    """A model on the list. It has few prices, each for some of the time: each is worked out once."""

    def __init__(self, provider: Provider, model: ModelInfo) -> None:
        self._provider = provider
        self._model = model
        self._prices: dict[int, Price] = {}

    def at(self, time: dt.datetime) -> Price:
        listed = self._model.get_prices(time)
        found = self._prices.get(id(listed))  # the list lives as long as the process
        if found is None:
            found = self._prices[id(listed)] = self._worked_out(time)
        return found

    def _worked_out(self, time: dt.datetime) -> Price:
        call = self._dollars(time, 0, 0)
        token_in, token_out = self._dollars(time, _SAMPLE, 0) - call, self._dollars(time, 0, _SAMPLE) - call
        return Price(call, token_in / _SAMPLE, token_out / _SAMPLE)

    def _dollars(self, time: dt.datetime, tokens_in: int, tokens_out: int) -> float:
        from genai_prices import Usage  # noqa: PLC0415

        usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out)
        return float(self._model.calc_price(usage, self._provider, genai_request_timestamp=time).total_price)


@lru_cache(limits.PRICES_REMEMBERED_MAX)
def _listed(provider: str, model: str) -> _Listed | None:
    """The list is large: it is loaded when the first model is seen."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

    known = _PROVIDERS.get(provider, provider)
    try:
        return _Listed(*get_snapshot().find_provider_model(model, None, known, None))
    except LookupError:
        return None
