"""A ticket system whose documents are all alike until something is done to them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

Document = dict[str, Any]
Mutate = Callable[[Document], Document | None]
START_S = 1_700_006_400
HOUR_S = 3_600


def ticket(r: random.Random) -> Document:
    return {
        "id": f"msg{r.randint(1, 10**9)}",
        "text": " ".join(r.choices(["where", "is", "my", "order", "refund", "please"], k=r.randint(2, 12))),
        "category": r.choices(["billing", "delivery", "technical", "other"], [8, 40, 32, 20])[0],
        "customer": {"id": r.randint(1, 10**6), "tier": r.choice(["free", "pro"])},
        "tags": r.sample(["new", "vip", "urgent"], r.randint(0, 2)),
    }


def stream(r: random.Random, from_s: float, to_s: float, per_hour: float) -> Iterator[tuple[int, Document]]:
    at_s = from_s
    while (at_s := at_s + r.expovariate(per_hour / HOUR_S)) < to_s:
        yield int(at_s), ticket(r)


def nothing(document: Document) -> Document:
    return document


def moved(document: Document) -> Document:
    """What a platform did one day: billing tickets say their topic elsewhere."""
    if document["category"] == "billing":
        del document["category"]
        document["details"] = {"topic": "billing"}
    return document
