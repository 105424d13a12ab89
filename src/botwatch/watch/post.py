"""One request to the server, and what its answer means."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from botwatch import limits
from botwatch.errors import SettingError
from botwatch.settings import LOOPBACK

_MEDIA_TYPE: Final = "application/x-protobuf"
_PERMANENT: Final = frozenset({400, 413, 415, 422})
_KEY_WRONG: Final = frozenset({401, 403})
_KEY_WAIT_S: Final = 60.0


class Verdict(StrEnum):
    TAKEN = "taken"
    REFUSED = "refused"  # sending it again would not help
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Answer:
    """`why` is for people; empty: all was taken."""

    verdict: Verdict
    why: str = ""
    retry_after_s: float = 0.0


class HttpPost:
    """Sends bodies that are gzipped already. The key goes to this address and, by no redirect, to another."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise SettingError("url: expected the address of a server, such as https://bots.example.com:8600")
        self._url = url.rstrip("/")
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._headers = {"content-type": _MEDIA_TYPE, "content-encoding": "gzip", "user-agent": "botwatch-agent"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        proxies: urllib.request.BaseHandler = urllib.request.ProxyHandler({} if parts.hostname in LOOPBACK else None)
        opener = urllib.request.OpenerDirector()
        handlers: list[urllib.request.BaseHandler] = [
            proxies,
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()) if parts.scheme == "https" else proxies,
        ]
        for handler in dict.fromkeys(handlers):
            opener.add_handler(handler)
        self._opener = opener

    def send(self, signal: str, body: bytes) -> Answer:
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            f"{self._url}/v1/{signal}", data=body, headers=self._headers, method="POST"
        )
        try:
            answer = self._opener.open(request, timeout=limits.AGENT_SEND_S_MAX)
            with answer:
                content = answer.read(limits.AGENT_ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(Verdict.AGAIN, f"{self.address} cannot be reached ({_name(error)}); it is tried again")
        return self._judged(signal, answer, content)

    def _judged(self, signal: str, answer: http.client.HTTPResponse, content: bytes) -> Answer:
        status = answer.status
        if status == http.client.OK:
            if answer.headers.get_content_type() != _MEDIA_TYPE:
                return Answer(
                    Verdict.AGAIN,
                    f"what answers at {self.address} is not Botwatch; look at the setting url",
                    _KEY_WAIT_S,
                )
            return _taken(signal, content)
        if status in _PERMANENT:
            return Answer(Verdict.REFUSED, f"{self.address} refused a request ({status}); it is dropped")
        if status in _KEY_WRONG:
            why = f"{self.address} does not know the ingest key ({status}); set key or BOTWATCH_KEY_FILE"
            return Answer(Verdict.AGAIN, why, _KEY_WAIT_S)
        after_s = 0.0
        with contextlib.suppress(ValueError):
            after_s = float(answer.headers.get("retry-after", "0"))
        return Answer(Verdict.AGAIN, f"{self.address} answered {status}; it is tried again", max(after_s, 0.0))


def _taken(signal: str, content: bytes) -> Answer:
    try:
        if signal == "metrics":
            points = ExportMetricsServiceResponse.FromString(content).partial_success
            rejected, why = points.rejected_data_points, points.error_message
        else:
            records = ExportLogsServiceResponse.FromString(content).partial_success
            rejected, why = records.rejected_log_records, records.error_message
    except DecodeError:
        return Answer(Verdict.TAKEN)
    return Answer(Verdict.TAKEN, f"taken without {rejected} items: {why}" if rejected else "")


def _name(error: Exception) -> str:
    """What kind of failure: the text of an error may hold more than is to be told."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"certificate: {reason.verify_message}"
    if isinstance(reason, OSError) and reason.strerror and not isinstance(reason, ssl.SSLError):
        return reason.strerror
    return type(reason).__name__
