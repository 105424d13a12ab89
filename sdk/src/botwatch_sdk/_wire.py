"""The way out: the stock OTLP exporters, over an HTTP session that remembers what became of each request.

The stock exporters read OpenTelemetry's environment (endpoints, headers, certificates, compression) and encode;
what they do not tell their caller is why an export failed. The session does, so that the lane in front knows
whether to keep a batch, to split it or to let it go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Generic, Protocol, TypeVar

import requests
from opentelemetry.context import attach, set_value
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from requests.auth import AuthBase

from botwatch_sdk import _limits
from botwatch_sdk._config import Config, is_loopback

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

# Shorter than the stock exporter's first pause between two tries: it tries once, and the lane does the waiting.
_STOCK_RETRY_S = 0.5

_KEEP = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,  # a key can be put right while the bot runs
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class Verdict(Enum):
    SENT = "sent"
    AWAY = "away"  # try the same again later
    REFUSED = "refused"  # it would be refused again
    TOO_LARGE = "too large"
    UNENCODABLE = "unencodable"  # it never came to a request


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    why: str = ""
    rejected: int = 0
    retry_after_s: float = 0.0


class Sender(Protocol[T_contra]):
    def send(self, batch: T_contra, /) -> Answer: ...

    def close(self) -> None: ...


class _NoOtherAuth(AuthBase):
    """Without it `requests` would put what `~/.netrc` says in place of the key."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


class Line(requests.Session):
    """One HTTP session of one exporter, used by one thread."""

    def __init__(self, config: Config, rejected: Callable[[bytes], int]) -> None:
        super().__init__()
        self._last: Answer | None = None
        self._timeout_s = config.timeout_s
        self._rejected = rejected
        if config.key:
            self.auth = _NoOtherAuth()
        if is_loopback(config.url):
            self.trust_env = False  # a proxy is never the way to one's own machine

    def begin(self) -> None:
        self._last = None

    def answer(self, without: str) -> Answer:
        """What became of the request since `begin`; `without` says why there was none."""
        return self._last or Answer(Verdict.UNENCODABLE, why=without)

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"timeout": self._timeout_s, "stream": True, "allow_redirects": False}
        try:
            response = super().request(*args, **kwargs)
        except Exception as error:
            self._last = Answer(Verdict.AWAY, why=type(error).__name__)
            raise
        self._last = self._judge(response)
        return response

    def _judge(self, response: requests.Response) -> Answer:
        status = response.status_code
        body = self._read(response)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Answer(Verdict.SENT, rejected=self._count(body))
        why = f"HTTP {status}"
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Answer(Verdict.TOO_LARGE, why)
        if status in _KEEP:
            return Answer(Verdict.AWAY, why, retry_after_s=_retry_after_s(response))
        return Answer(Verdict.REFUSED, why)

    @staticmethod
    def _read(response: requests.Response) -> bytes:
        """At most so much of an answer; a connection with more to say is not used again."""
        try:
            body: bytes = response.raw.read(_limits.ANSWER_BYTES_MAX, decode_content=True)
            if response.raw.read(1):
                response.close()
            return body
        except Exception:
            response.close()
            return b""

    def _count(self, body: bytes) -> int:
        try:
            return max(self._rejected(body), 0)
        except Exception:
            return 0  # not an OTLP answer: whoever it was, it took the batch


def _retry_after_s(response: requests.Response) -> float:
    try:
        asked = float(response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return min(max(asked, 0.0), _limits.AWAY_PAUSE_S_MAX)


class _Exporter(Protocol[T_contra]):
    def export(self, batch: T_contra, /) -> object: ...

    def shutdown(self) -> None: ...


class _Exports(Generic[T]):
    """Sends through a stock exporter and answers with what its session saw."""

    def __init__(self, exporter: _Exporter[T], line: Line) -> None:
        self._exporter = exporter
        self._line = line

    def send(self, batch: T, /) -> Answer:
        self._line.begin()
        try:
            self._exporter.export(batch)
        except Exception as error:
            return self._line.answer(type(error).__name__)
        return self._line.answer("not to be written as OTLP")

    def close(self) -> None:
        self._exporter.shutdown()


def spans(config: Config) -> Sender[Sequence[ReadableSpan]]:
    line = Line(config, lambda body: ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans)
    return _Exports[Sequence[ReadableSpan]](
        OTLPSpanExporter(config.endpoint("traces"), headers=config.headers, timeout=_STOCK_RETRY_S, session=line), line
    )


def logs(config: Config) -> Sender[Sequence[ReadableLogRecord]]:
    line = Line(config, lambda body: ExportLogsServiceResponse.FromString(body).partial_success.rejected_log_records)
    return _Exports[Sequence[ReadableLogRecord]](
        OTLPLogExporter(config.endpoint("logs"), headers=config.headers, timeout=_STOCK_RETRY_S, session=line), line
    )


def metrics(config: Config) -> Sender[MetricsData]:
    line = Line(config, lambda body: ExportMetricsServiceResponse.FromString(body).partial_success.rejected_data_points)
    return _Exports[MetricsData](
        OTLPMetricExporter(config.endpoint("metrics"), headers=config.headers, timeout=_STOCK_RETRY_S, session=line),
        line,
    )


# --- threads of ours are not to be heard in the bot's log, nor their log to be sent by themselves

_our_threads: set[int] = set()


def hush() -> None:
    """To be called by a thread of ours when it begins: instrumentation libraries pass over what it sends, too."""
    _our_threads.add(threading.get_ident())
    attach(set_value("suppress_instrumentation", True))


def unhush() -> None:
    _our_threads.discard(threading.get_ident())


def is_ours() -> bool:
    return threading.get_ident() in _our_threads


def forget_threads() -> None:
    """After a fork none of them is there any more."""
    _our_threads.clear()


class _NotOurs(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return threading.get_ident() not in _our_threads


def silence_exporters() -> None:
    """The stock exporters log each failure; ours is told once, by us. An exporter of the bot's own stays audible."""
    quiet = _NotOurs("botwatch")
    for exporter in (OTLPSpanExporter, OTLPLogExporter, OTLPMetricExporter):
        _silence(exporter.__module__, quiet)
    for name in ("opentelemetry.exporter.otlp.proto.common._internal", "opentelemetry.exporter.otlp.common.http"):
        _silence(name, quiet)


def _silence(name: str, quiet: logging.Filter) -> None:
    logger = logging.getLogger(name)
    if not any(isinstance(found, _NotOurs) for found in logger.filters):
        logger.addFilter(quiet)
