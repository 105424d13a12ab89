"""A real OTLP/HTTP server on loopback that keeps what it gets, and misbehaves when told to."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.real.parts import free_port

Answer = tuple[int, bytes, Mapping[str, str]]
OK: Answer = (200, b"", {})


def value(found: AnyValue) -> Any:
    kind = found.WhichOneof("value")
    if kind == "array_value":
        return [value(item) for item in found.array_value.values]
    if kind == "kvlist_value":
        return attributes(found.kvlist_value.values)
    return getattr(found, kind) if kind else None


def attributes(pairs: Any) -> dict[str, Any]:
    found: list[KeyValue] = list(pairs)
    return {pair.key: value(pair.value) for pair in found}


class Sink:
    """`answer` decides what each request gets; a sink told to hang or to drop does that instead."""

    def __init__(self) -> None:
        self.answer: Callable[[str, int], Answer] = lambda path, size: OK
        self.hang = threading.Event()
        self.drop = False
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._traces: list[ExportTraceServiceRequest] = []
        self._logs: list[ExportLogsServiceRequest] = []
        self._metrics: list[ExportMetricsServiceRequest] = []
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._release = threading.Event()
        self.port = 0

    def start(self) -> Self:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                sink._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128  # many processes connect at once

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is no news here."""

        self._release.clear()
        self.port = self.port or free_port()  # one that stays its own while it is stopped
        self._server = Server(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """From now on connections are refused."""
        self._release.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        if self.hang.is_set():
            self._release.wait(200)
        if self.drop or self._server is None:
            request.close_connection = True
            return
        status, answer, headers = self.answer(request.path, len(body))
        if status == 200:
            self._keep(request, body)
        request.send_response(status)
        for name, said in headers.items():
            request.send_header(name, said)
        request.send_header("content-length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def _keep(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        with self._lock:
            self.headers.append({name.lower(): said for name, said in request.headers.items()})
            try:
                if request.path.endswith("/v1/traces"):
                    self._traces.append(ExportTraceServiceRequest.FromString(body))
                elif request.path.endswith("/v1/logs"):
                    self._logs.append(ExportLogsServiceRequest.FromString(body))
                elif request.path.endswith("/v1/metrics"):
                    self._metrics.append(ExportMetricsServiceRequest.FromString(body))
            except DecodeError as error:
                raise AssertionError(f"{request.path}: not OTLP") from error

    # --- what came, with the attributes of its resource

    def resources(self) -> list[dict[str, Any]]:
        with self._lock:
            found = [resource.resource for request in self._traces for resource in request.resource_spans]
            found += [resource.resource for request in self._logs for resource in request.resource_logs]
            found += [resource.resource for request in self._metrics for resource in request.resource_metrics]
        return [attributes(resource.attributes) for resource in found]

    def spans(self) -> list[Span]:
        return [span for _, span in self.spans_by_resource()]

    def spans_by_resource(self) -> list[tuple[dict[str, Any], Span]]:
        with self._lock:
            return [
                (attributes(resource.resource.attributes), span)
                for request in self._traces
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]

    def records(self, event: str | None = None) -> list[LogRecord]:
        with self._lock:
            found = [
                record
                for request in self._logs
                for resource in request.resource_logs
                for scope in resource.scope_logs
                for record in scope.log_records
            ]
        return [record for record in found if event is None or record.event_name == event]

    def points(self, name: str) -> list[tuple[dict[str, Any], float]]:
        """Each point of that metric with its attributes, in the order they came."""
        return [(attributes(point.attributes), _number(point)) for point in self._points(name)]

    def _points(self, name: str) -> Iterator[NumberDataPoint]:
        for metric in self.metrics():
            if metric.name == name:
                yield from (metric.gauge if metric.HasField("gauge") else metric.sum).data_points

    def metrics(self) -> list[Metric]:
        with self._lock:
            return [
                metric
                for request in self._metrics
                for resource in request.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
            ]

    def latest(self, name: str, **labels: str) -> float | None:
        wanted = {label.replace("_", "."): said for label, said in labels.items()}
        found = [number for said, number in self.points(name) if wanted.items() <= said.items()]
        return found[-1] if found else None


def _number(point: NumberDataPoint) -> float:
    return point.as_double if point.WhichOneof("value") == "as_double" else float(point.as_int)


def until(happened: Callable[[], bool], within_s: float = 60.0) -> bool:
    """Look until it happened; the test's own assertion tells what did not."""
    deadline_s = time.monotonic() + within_s
    while not (seen := happened()) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return seen
