"""A server made of answers, for what is drawn; the real one is tried in `test_commands.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from botwatch.console.client import Client

NOW = datetime(2024, 1, 15, 14, 32, tzinfo=UTC)
EVIL = "\x1b[2J\x1b]0;owned\x07[red]x[/red] \u202egnp\u2066\n\r\x9b31m"
# As the product this one replaces shows it.
STATUS: dict[str, Any] = {
    "sessions": {"active": 247, "peak_today": 312, "avg_duration_seconds": 245},
    "messages": {"today": 12_400, "this_hour": 890, "avg_response_ms": 1_200},
    "resources": {"cpu_percent": 70, "memory_percent": 60, "gpu_percent": 40, "disk_percent": 28},
    "services": dict.fromkeys(("postgresql", "qdrant", "minio", "botmodels", "vault", "redis", "influxdb"), "running"),
}


def log(number: int, text: str, level: str = "info") -> dict[str, Any]:
    at = f"2024-01-15T14:31:{number:02}Z"
    return {"at": at, "level": level, "bot": "shop", "text": text, "event": "", "attributes": {}, "span_id": None}


def session(id: str, user: str | None = "+5511999...") -> dict[str, Any]:
    item = {"id": id, "user": user, "bot": "shop", "channel": "WhatsApp", "started": "2024-01-15T14:30:00Z"}
    return item | {"messages": 12, "state": "active", "outcome": None}


@dataclass
class World:
    """What each address answers; an address without an answer is not there."""

    answers: dict[str, Any] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused")
        self.asked.append(str(request.url.raw_path, "ascii"))
        found = self.answers.get(request.url.path)
        if found is None:
            error = {"code": "not_found", "message": "There is nothing at this address.", "hint": None}
            return httpx.Response(404, json={"error": error})
        return httpx.Response(200, json=found)


@pytest.fixture
def world() -> World:
    lists: dict[str, Any] = {
        path: {"items": [], "next": None} for path in ("/api/bots", "/api/actions", "/api/insights/queries")
    }
    sessions = {"items": [session("a1b2c3d4")], "next": None, "total": 1}
    logs = {"items": [log(2, "second"), log(1, "first")], "next": None}
    return World({"/api/monitoring/status": STATUS, "/api/monitoring/sessions": sessions, "/api/logs": logs} | lists)


@pytest.fixture
def client(world: World) -> Client:
    return Client("http://127.0.0.1:8600", "token", httpx.MockTransport(world.answer))


@pytest.fixture
def now() -> Callable[[], datetime]:
    return lambda: NOW
