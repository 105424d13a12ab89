"""What the engine refused: listed for admins, and given to it again."""

from __future__ import annotations

import httpx

from botwatch.nouns import Inbox
from botwatch.spool import Dead
from tests.api.conftest import bearer
from tests.api.telemetry.conftest import NOW_S, Asker, Intake

SECOND_NS = 10**9


async def test_an_admin_sees_what_the_engine_refused_and_gives_it_to_it_again(
    admin: Asker, monitor: Asker, intake: Intake, asking: httpx.AsyncClient
) -> None:
    intake.refused = [Dead(7, Inbox.TRACES, 3, 120, NOW_S * SECOND_NS, (NOW_S + 1) * SECOND_NS, "code 27")]
    (dead,) = await admin.get("/api/intake/dead")
    assert (dead["id"], dead["kind"], dead["items"], dead["bytes"], dead["reason"]) == (7, "traces", 3, 120, "code 27")
    for asked in (monitor.response("/api/intake/dead"), _retry(asking, monitor.secret)):
        assert (await asked).status_code == 403
    assert (await _retry(asking, admin.secret)).json() == {"requests": 1}
    assert await admin.get("/api/intake/dead") == []
    assert (await _retry(asking, admin.secret)).json() == {"requests": 0}
    told = [entry for entry in (await admin.get("/api/audit"))["items"] if entry["what"] == "intake.retry"]
    assert [entry["detail"] for entry in told] == [{"requests": 1}]


async def _retry(client: httpx.AsyncClient, secret: str) -> httpx.Response:
    return await client.post("/api/intake/dead/retry", headers=bearer(secret))
