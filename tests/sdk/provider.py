"""A provider on loopback that a bot calls: it answers, answers late, refuses, and announces limits."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Provider:
    """`/ok` answers, `/slow` does not until the end, `/limited` refuses with Retry-After, `/down` fails; `headers`
    go with every answer."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.paths: list[str] = []
        self._released = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                provider.paths.append(self.path)
                status, headers = 200, dict(provider.headers)
                if self.path == "/slow":
                    provider._released.wait(30)
                elif self.path == "/limited":
                    status, headers = 429, headers | {"retry-after": "17"}
                elif self.path == "/down":
                    status = 500
                elif self.path.startswith("/allows/"):
                    headers["x-ratelimit-limit-requests"] = self.path.rpartition("/")[2]
                try:
                    self.send_response(status)
                    for name, value in {**headers, "content-length": "2"}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(b"ok")
                except OSError:
                    pass  # whoever asked has gone

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
