"""A server that takes OTLP over HTTP and keeps it, for tests that ask what was sent."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def texts(attributes: Iterator[KeyValue] | list[KeyValue]) -> dict[str, str]:
    found = {}
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        found[attribute.key] = str(getattr(attribute.value, kind)) if kind else ""
    return found


def resource_texts(resource: Resource) -> dict[str, str]:
    return texts(list(resource.attributes))


class Sink:
    """`with Sink() as sink:`; `sink.wait(lambda: …)` until something has arrived."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {"/v1/traces": [], "/v1/logs": [], "/v1/metrics": []}
        self.keys: set[str] = set()
        self._came = threading.Condition()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                encoding = self.headers.get("content-encoding", "")
                if encoding:
                    body = gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body)
                sink._keep(self.path, body, self.headers.get("authorization", ""))
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """A test's output is not the place for it."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128  # many processes connect at once

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _keep(self, path: str, body: bytes, key: str) -> None:
        with self._came:
            self.bodies[path].append(body)
            self.keys.add(key)
            self._came.notify_all()

    def wait(self, enough: Callable[[], bool], timeout_s: float = 90.0) -> bool:
        with self._came:
            return self._came.wait_for(enough, timeout_s)

    # --- what came, with the resource it came from

    def spans(self) -> Iterator[tuple[Resource, Span]]:
        for body in list(self.bodies["/v1/traces"]):
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in group.scope_spans:
                    yield from ((group.resource, span) for span in scope.spans)

    def logs(self) -> Iterator[tuple[Resource, LogRecord]]:
        for body in list(self.bodies["/v1/logs"]):
            for group in ExportLogsServiceRequest.FromString(body).resource_logs:
                for scope in group.scope_logs:
                    yield from ((group.resource, record) for record in scope.log_records)

    def metrics(self) -> Iterator[tuple[Resource, Metric]]:
        for body in list(self.bodies["/v1/metrics"]):
            for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in group.scope_metrics:
                    yield from ((group.resource, metric) for metric in scope.metrics)
