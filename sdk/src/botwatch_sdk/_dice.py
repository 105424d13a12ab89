"""Chance of our own: a bot that calls `random.seed` would give two runs the same ids, and choose what is sampled."""

from __future__ import annotations

import os
import random

from opentelemetry.sdk.trace.id_generator import IdGenerator

_random = random.Random()  # noqa: S311  ids are names, not secrets
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def new_id() -> str:
    return f"{_random.getrandbits(128):032x}"


def falls_within(share: float) -> bool:
    return _random.random() < share


class TraceIds(IdGenerator):
    def generate_span_id(self) -> int:
        return _random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return _random.getrandbits(128) or 1

    def is_trace_id_random(self) -> bool:
        return True
