"""The receivers as one ASGI application: on a port of its own, and under the main one.

It looks only at the path, so that it can be mounted as a route for each of `PATHS`.
"""

from __future__ import annotations

from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from botwatch.errors import BotwatchError, NotFound, WrongMethod
from botwatch.nouns import Signal
from botwatch.receive import body as bodies
from botwatch.receive import otlp
from botwatch.receive.door import Capacity, Door, Intake, Keys, Options
from botwatch.receive.http import Answer, Head, send, send_early
from botwatch.receive.json_logs import JsonLogsEndpoint
from botwatch.receive.keys import token_in
from botwatch.receive.lines import refusal
from botwatch.receive.otlp_http import OtlpEndpoint
from botwatch.receive.payloads import PayloadsEndpoint


class Endpoint(Protocol):
    """One path: what it takes, and how it answers and refuses."""

    @property
    def signal(self) -> Signal: ...
    @property
    def path(self) -> str: ...
    @property
    def media_types(self) -> tuple[str, ...]: ...

    async def take(self, head: Head, body: bytes) -> Answer: ...

    def refusal(self, head: Head, error: BotwatchError) -> Answer: ...


PATHS = (*(signal.path for signal in otlp.SIGNALS), JsonLogsEndpoint.path, PayloadsEndpoint.path)


def app(intake: Intake, keys: Keys | None, options: Options, *, capacity: Capacity | None = None) -> ASGIApp:
    """Without `keys` anyone may send. Give listeners one `capacity` and they share one bound."""
    door = Door(intake, keys, options, capacity)
    endpoints: list[Endpoint] = [OtlpEndpoint(door, signal) for signal in otlp.SIGNALS]
    endpoints += [JsonLogsEndpoint(door), PayloadsEndpoint(door)]
    return Receivers(door, endpoints)


class Receivers:
    def __init__(self, door: Door, endpoints: list[Endpoint]) -> None:
        self._door = door
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send_: Send) -> None:
        if scope["type"] == "http":
            await self._serve(scope, receive, send_)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send_)
        elif scope["type"] == "websocket":
            await send_({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send_: Send) -> None:
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            missing = NotFound("There is no such path.", hint=f"POST to one of {', '.join(self._endpoints)}")
            await send_early(refusal(missing), send_, receive)
            return
        read = False
        head = Head.of(scope)
        try:
            with self._door.capacity.hold() as held:
                with self._door.counting(endpoint.signal):
                    encoding = await self._admit(endpoint, head)
                    wire = await bodies.read(receive, head.declared_bytes, held)
                    read = True
                    body = await bodies.inflated(wire, encoding, self._door.capacity, held)
                answer = await endpoint.take(head, body)
        except bodies.Disconnected:
            return
        except BotwatchError as error:
            answer = endpoint.refusal(head, error)
        if read:
            await send(answer, send_)
        else:
            await send_early(answer, send_, receive)

    async def _admit(self, endpoint: Endpoint, head: Head) -> str:
        """All that can be refused before the body is read. Returns the body's encoding."""
        if head.method != "POST":
            raise WrongMethod(f"Expected POST, found {head.method[:16]}.", hint="send it as POST")
        await self._door.admit(token_in(head.authorization), origin=head.origin)
        return head.require(endpoint.media_types)


async def _lifespan(receive: Receive, send_: Send) -> None:
    await receive()
    await send_({"type": "lifespan.startup.complete"})
    await receive()
    await send_({"type": "lifespan.shutdown.complete"})
