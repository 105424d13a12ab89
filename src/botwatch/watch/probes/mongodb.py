"""MongoDB: `hello`, and `serverStatus` where the user may. Needs the extra `mongodb`."""

from __future__ import annotations

import time
from typing import Any, Final

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Pace, Service, Status, clean_version, figures, number
from botwatch.watch.probes.stream import Stream
from botwatch.watch.probes.web import record

PORT: Final = 27_017
_LOGIN, _NOT_ALLOWED = (11, 18), (13, 8_000)
_FULL: Final = 0.9


class MongoDB:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._client: Any = None
        self._operations = Pace()

    async def ask(self) -> Finding:
        try:
            from pymongo import errors  # noqa: PLC0415 - an extra
        except ImportError:
            raise Trouble(Reason.LIBRARY, "needs the driver pymongo: pip install 'botwatch[mongodb]'") from None
        client = self._client = self._client or self._open()
        began_s = time.monotonic()
        try:
            hello = await client.admin.command("hello")
            took_s = time.monotonic() - began_s
            version, status, refused = await self._figures(client, errors)
        except errors.OperationFailure as error:
            if error.code in _LOGIN:
                raise Trouble(Reason.LOGIN, "it answers, and does not accept the user or password") from None
            raise Trouble(Reason.ANSWER, f"it answers the question with error {error.code or 0}") from None
        except errors.PyMongoError as error:
            if isinstance(error, errors.ConfigurationError):
                raise Trouble(Reason.ANSWER, "it is of a version this driver does not speak with") from None
            async with await Stream.open(self._service, PORT):  # raises what is wrong with the way there
                raise Trouble(Reason.TIMEOUT, "it takes connections, and does not answer as MongoDB does") from None
        return self._found(record(hello), version, record(status), refused, began_s, took_s)

    async def _figures(self, client: Any, errors: Any) -> tuple[Any, Any, bool]:
        about = await client.admin.command("buildInfo")
        try:
            return about.get("version"), await client.admin.command("serverStatus"), False
        except errors.OperationFailure as error:
            if error.code not in _NOT_ALLOWED:
                raise
            return about.get("version"), {}, True

    def _open(self) -> Any:
        from pymongo import AsyncMongoClient  # noqa: PLC0415 - an extra

        service = self._service
        wait_ms = int(1_000 * service.timeout_s * 0.8)  # so that it says why before it is ended
        target = service.target
        how: dict[str, Any] = {"tls": target.scheme == "mongodbs"} if target.scheme == "mongodbs" else {}
        if target.login:
            how |= {"username": target.login[0], "password": target.login[1]}
        if service.ca_file:
            how |= {"tls": True, "tlsCAFile": service.ca_file}
        _, _, rest = target.url.partition("://")
        return AsyncMongoClient(
            f"mongodb://{rest}",
            directConnection=True,
            serverSelectionTimeoutMS=wait_ms,
            connectTimeoutMS=wait_ms,
            socketTimeoutMS=wait_ms,
            maxPoolSize=1,
            appname="botwatch",
            retryReads=False,
            **how,
        )

    def _found(
        self, hello: dict[str, Any], version: object, status: dict[str, Any], refused: bool, at_s: float, took_s: float
    ) -> Finding:
        connections = record(status.get("connections"))
        used, free = number(connections.get("current")), number(connections.get("available"))
        most = used + free if used is not None and free is not None else None
        counts = [number(count) or 0.0 for count in record(status.get("opcounters")).values()]
        operations = self._operations.per_s(sum(counts), at_s) if counts else None
        resident = number(record(status.get("mem")).get("resident"))
        reason = "its user may not read serverStatus: no figures" if refused else ""
        bad = ""
        if hello.get("isWritablePrimary") is False and hello.get("secondary") is not True:
            bad = "it is neither primary nor secondary: it is starting, recovering, or without a primary"
        elif used is not None and most and used >= _FULL * most:
            bad = f"{used:.0f} of {most:.0f} connections are in use"
        return Finding(
            Status.DEGRADED if bad else Status.RUNNING,
            bad or reason,
            version=clean_version(version),
            headline=f"{used:.0f}/{most:.0f} connections" if used is not None and most else "",
            figures=figures(
                ("connections", used, "{connection}"),
                ("connections.max", most, "{connection}"),
                ("memory", None if resident is None else resident * 2**20, "By"),
                ("operations.rate", operations, "{operation}/s"),
            ),
            latency_s=took_s,
            saturation=used / most if used is not None and most else None,
        )

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
