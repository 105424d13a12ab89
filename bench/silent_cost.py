"""What profiling adds to the processor time of a server that takes 5,000 documents of 2 KB a second.

A real server is started with and without the job that follows documents, in turns, and sent the same load; user and system
time of its process is read before and after, once both have been warmed up by some seconds of it.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import psutil
from families import ticket

PER_SECOND, BYTES, BATCH, SENDERS = 5_000, 2_048, 500, 4
WARM_S, RUN_S, TURNS = 8.0, 30.0, 2
_SERVE = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from botwatch.server import eyes, running
from botwatch.settings import Settings
if sys.argv[3] == "without":
    async def nothing(self, stop): await stop.wait()
    eyes.Keeper.run = nothing
settings = Settings(data=Path(sys.argv[1]), port=0, otlp_port=0, grpc_port=0, watch_host=False)
sys.exit(running.run(settings, serving=lambda url: print("URL", url, flush=True)))
"""


def bodies(count: int = 20) -> list[bytes]:
    """Lines as tickets are, each filled up to its size."""
    r, made = random.Random(1), []
    for _ in range(count):
        lines = []
        for at_s in range(BATCH):
            document = ticket(r, 1_700_000_000 + at_s)
            size = len(json.dumps(document))
            document["text"] += " " + "lorem ipsum dolor "[: BYTES - size] * (max(0, BYTES - size) // 18)
            lines.append(json.dumps(document))
        made.append("\n".join(lines).encode())
    return made


def send(url: str, seconds: float, made: list[bytes]) -> int:
    """At an even pace from several threads; how many documents were taken."""
    taken = [0] * SENDERS
    start = time.monotonic()

    def sender(number: int) -> None:
        every_s = SENDERS * BATCH / PER_SECOND
        with httpx.Client(timeout=60) as client:
            for turn in range(int(seconds / every_s)):
                pause_s = start + turn * every_s + number * every_s / SENDERS - time.monotonic()
                time.sleep(max(0.0, pause_s))
                body = made[(turn * SENDERS + number) % len(made)]
                answer = client.post(
                    f"{url}/v1/payloads?source=tickets", content=body, headers={"content-type": "application/x-ndjson"}
                )
                taken[number] += answer.json()["accepted"]

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(taken)


def measured(how: str, seconds: float, made: list[bytes]) -> tuple[float, int]:
    """Processor seconds of the server and its children for each 1,000 documents, and how many were taken."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _SERVE, folder, str(Path(__file__).parent), how]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BOTWATCH_")}
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ)
        try:
            assert server.stdout is not None
            url = next(line.split()[1] for line in server.stdout if line.startswith("URL"))
            send(url, WARM_S, made)
            process = psutil.Process(server.pid)
            before = sum(process.cpu_times()[:4])
            taken = send(url, seconds, made)
            time.sleep(3)  # what is being written belongs to it
            spent = sum(process.cpu_times()[:4]) - before
        finally:
            server.terminate()
            server.wait(60)
    return spent / max(taken, 1) * 1_000, taken


def cost(seconds: float = RUN_S, turns: int = TURNS) -> None:
    made = bodies()
    found: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(turns):
        for how, spent in found.items():
            per_thousand, taken = measured(how, seconds, made)
            spent.append(per_thousand)
            print(
                f"cost  {how:<8} {per_thousand * 1_000:6.1f} ms of processor time for 1,000 documents, {taken} taken",
                flush=True,
            )
    ratio = statistics.median(found["with"]) / statistics.median(found["without"])
    print(f"cost  profiling adds {ratio - 1:+.1%} at {PER_SECOND} documents of {BYTES} bytes a second")


if __name__ == "__main__":
    cost()
