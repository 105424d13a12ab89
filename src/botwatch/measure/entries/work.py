"""What bots do: actions, requests, what they call, and the models they use."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import QUANTILES, mean, quantile, share
from botwatch.measure.model import Counted, Direction, Empty, Measure, Priced, Thresholds, Unit
from botwatch.measure.sources import ACTIONS, DEPENDENCIES, MODELS, REQUESTS, Ticks


def _tally(prefix: str, source: Ticks, what: str, **aliases: str) -> tuple[Measure, ...]:
    """How often something happened, how often it failed, and how long it took."""
    also = {figure: (name,) for figure, name in aliases.items()}
    return (
        Measure(
            f"{prefix}.count",
            Unit.COUNT,
            what,
            Counted(source, "sum[count]"),
            empty=Empty.SEEN,
            aliases=also.get("count", ()),
        ),
        Measure(
            f"{prefix}.errors",
            Unit.COUNT,
            f"{what} that failed",
            Counted(source, "sum[errors]"),
            empty=Empty.SEEN,
            direction=Direction.HIGH,
        ),
        Measure(
            f"{prefix}.error_rate",
            Unit.PERCENT,
            f"{what} that failed, of all",
            Counted(source, share("sum[errors]")),
            direction=Direction.HIGH,
        ),
        Measure(
            f"{prefix}.latency",
            Unit.MS,
            f"average time that {what} took, failed ones included",
            Counted(source, mean()),
            aliases=also.get("latency", ()),
            direction=Direction.HIGH,
        ),
        *(
            Measure(
                f"{prefix}.latency.{name}",
                Unit.MS,
                f"time that {what} took, failed ones included, {name}",
                Counted(source, quantile(q)),
                direction=Direction.HIGH,
            )
            for q, name in QUANTILES
        ),
    )


MEASURES: Final = (
    *_tally("action", ACTIONS, "actions"),
    Measure(
        "action.success_rate",
        Unit.PERCENT,
        "actions that did not fail, of all",
        Counted(ACTIONS, share("(sum[count] - sum[errors])")),
        direction=Direction.LOW,
    ),
    Measure(
        "errors.rate",
        Unit.PERCENT,
        "error rate: actions that failed, of all",
        Counted(ACTIONS, share("sum[errors]")),
        direction=Direction.HIGH,
        thresholds=Thresholds(1, 5),
    ),
    *_tally("requests", REQUESTS, "HTTP requests to the bot", latency="requests.latency_avg"),
    Measure(
        "requests.latency_sum",
        Unit.MS,
        "time that all HTTP requests to the bot took together",
        Counted(REQUESTS, "sum[total]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    *_tally("dependency", DEPENDENCIES, "calls of the bot to others"),
    Measure(
        "dependency.timeouts",
        Unit.COUNT,
        "calls of the bot to others that timed out",
        Counted(DEPENDENCIES, "sum[timeouts]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    Measure(
        "dependency.timeout_rate",
        Unit.PERCENT,
        "calls of the bot to others that timed out, of all",
        Counted(DEPENDENCIES, share("sum[timeouts]")),
        direction=Direction.HIGH,
    ),
    Measure(
        "dependency.rate_limited",
        Unit.COUNT,
        "calls of the bot to others that were refused because there were too many (429)",
        Counted(DEPENDENCIES, "sum[rate_limited]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    *_tally("model", MODELS, "calls of models", count="model.calls"),
    Measure(
        "model.tokens",
        Unit.TOKENS,
        "tokens that models read and wrote",
        Counted(MODELS, "sum[tokens_in] + sum[tokens_out]"),
        empty=Empty.SEEN,
    ),
    Measure(
        "model.tokens.in", Unit.TOKENS, "tokens that models read", Counted(MODELS, "sum[tokens_in]"), empty=Empty.SEEN
    ),
    Measure(
        "model.tokens.out",
        Unit.TOKENS,
        "tokens that models wrote",
        Counted(MODELS, "sum[tokens_out]"),
        empty=Empty.SEEN,
    ),
    Measure(
        "model.cost",
        Unit.USD,
        "list price of the calls of models, without discounts for cached tokens or surcharges for long contexts; "
        "a model whose price is not known is left out and named",
        Priced("model.count", "model.tokens.in", "model.tokens.out"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
)
