"""What watching a machine costs: the agent as its own process, idle, with a server that takes what it sends.

    python bench/agent.py [--seconds 120]

CPU is user and system time over the time it ran; memory is the resident set at the end. The processes of this machine are
looked through as always, and one bot is watched.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
from shared import print_machine

TARGET_CPU_PERCENT = 1.0
TARGET_RESIDENT_MIB = 60
WARM_S = 5.0


class Sink(BaseHTTPRequestHandler):
    taken = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).taken += 1
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    seconds = parser.parse_args().seconds
    print_machine()
    sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    bot = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, "BOTWATCH_BOT": "idle"}
    )
    with tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{sink.server_address[1]}"
        command = [sys.executable, "-m", "botwatch", "agent", "--url", url, "--data", str(Path(folder) / "agent")]
        agent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            watched = psutil.Process(agent.pid)
            time.sleep(WARM_S)
            before, began_s = watched.cpu_times(), time.monotonic()
            time.sleep(seconds)
            after, passed_s = watched.cpu_times(), time.monotonic() - began_s
            resident_mib = watched.memory_info().rss / 2**20
        finally:
            agent.terminate()
            agent.wait()
            bot.kill()
            bot.wait()
            sink.shutdown()
    cpu = 100 * (after.user + after.system - before.user - before.system) / passed_s
    print(f"processes on this machine {len(psutil.pids())}, requests taken {Sink.taken} in {passed_s:.0f} s")
    print(f"CPU      {cpu:.2f} % of a core   (target < {TARGET_CPU_PERCENT:g} %)")
    print(f"memory   {resident_mib:.0f} MiB resident   (target < {TARGET_RESIDENT_MIB} MB)")
    return 0 if Sink.taken and cpu < TARGET_CPU_PERCENT and resident_mib * 2**20 < TARGET_RESIDENT_MIB * 1e6 else 1


if __name__ == "__main__":
    sys.exit(main())
