"""The heartbeat: sends what the process uses and what the bot counted, every few seconds, zeros included.

A bot that sends zeros is idle; one that sends nothing is silent. That is why this thread depends on nothing
the bot does.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import Resource

from botwatch_sdk import _wire
from botwatch_sdk._config import Config
from botwatch_sdk._counters import Counters
from botwatch_sdk._gauges import Gauges, board
from botwatch_sdk._guard import contained, describe, warn_once
from botwatch_sdk._lane import Reach
from botwatch_sdk._taps import Reader
from botwatch_sdk._wire import Verdict


class Heart:
    """One daemon thread. The next beat comes when it is due, whatever became of the last: sums are cumulative, so
    a beat that is lost loses no count."""

    def __init__(
        self, config: Config, resource: Resource, counters: Counters, readers: tuple[Reader, ...], reach: Reach
    ) -> None:
        self._config = config
        self._resource = resource
        self._counters = counters
        self._readers = readers
        self._reach = reach
        self._asked = threading.Condition(threading.Lock())
        self._wanted = 0
        self._done = 0
        self._sent = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="botwatch-heart", daemon=True)
        self._thread.start()

    def urge(self) -> int:
        """A beat out of turn; answers the number to wait for."""
        with self._asked:
            self._wanted += 1
            self._asked.notify_all()
            return self._wanted

    def wait(self, wanted: int, deadline_s: float) -> bool:
        """True when the server took that beat, or a later one, before `deadline_s` (monotonic)."""
        with self._asked:
            self._asked.wait_for(lambda: self._done >= wanted, max(deadline_s - time.monotonic(), 0.0))
            return self._done >= wanted and self._sent

    def close(self, deadline_s: float) -> None:
        """One last beat, then the end."""
        with self._asked:
            self._closing = True
            self._asked.notify_all()
        self._thread.join(max(deadline_s - time.monotonic(), 0.0))

    def _run(self) -> None:
        _wire.hush()
        sender: _wire.Sender[MetricsData] | None = None
        try:
            sender = _wire.metrics(self._config)
            gauges = Gauges()
            due_s = time.monotonic()
            while True:
                with self._asked:
                    self._asked.wait_for(
                        lambda: self._closing or self._wanted > self._done, max(due_s - time.monotonic(), 0.0)
                    )
                    serving, last = self._wanted, self._closing
                sent = self._beat(sender, gauges)
                with self._asked:
                    self._done, self._sent = serving, sent
                    self._asked.notify_all()
                if last:
                    break
                if (now_s := time.monotonic()) >= due_s:
                    due_s = max(due_s + self._config.heartbeat_s, now_s)
        except Exception as error:
            warn_once("heart", "botwatch: no more heartbeats from this process: %s", describe(error))
        finally:
            if sender is not None:
                sender.close()
            _wire.unhush()

    def _beat(self, sender: _wire.Sender[MetricsData], gauges: Gauges) -> bool:
        try:
            pulse = gauges.read(self._counters)
            with board.collecting:
                board.pulse = pulse
                collected = [data for reader in self._readers if (data := reader.read()) is not None]
            answers = [self._send(sender, data) for data in collected if data.resource_metrics]
            return all(answers)
        except Exception as error:
            contained("heartbeat", error)
            return False

    def _send(self, sender: _wire.Sender[MetricsData], data: MetricsData) -> bool:
        answer = sender.send(self._stamped(data))
        if answer.verdict is Verdict.AWAY:
            self._reach.lost("metrics", answer.why)
        else:
            self._reach.back("metrics")
            if answer.verdict is not Verdict.SENT:
                what = answer.verdict.value
                warn_once(f"metrics:{answer.why}", "botwatch: a heartbeat was dropped: %s (%s)", what, answer.why)
        return answer.verdict is Verdict.SENT

    def _stamped(self, data: MetricsData) -> MetricsData:
        return MetricsData(
            [replace(found, resource=found.resource.merge(self._resource)) for found in data.resource_metrics]
        )
