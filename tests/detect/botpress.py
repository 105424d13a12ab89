"""The rules of Botpress's own page, as they stand there, with the comma behind the last one."""

from __future__ import annotations

from typing import Final

PASTED: Final = (
    """{
  "name": " High CPU Usage ",
  "field": "cpu.usage",
  "aggregation": "avg",
  "operand": "equalOrMoreThan",
  "value": 60,
  "timeframe": "2m",
  "cooldown": "1m"
}""",
    """{
  "name": "High number of errors",
  "field": "errors.count",
  "aggregation": "sum",
  "operand": "equalOrMoreThan",
  "value": 10,
  "timeframe": "1m"
}""",
    """{
  "name": "No more incoming events",
  "field": "eventsIn.count",
  "aggregation": "sum",
  "operand": "equalOrLessThan",
  "value": 0,
  "timeframe": "10m"
},""",
)
NAMES: Final = ("High CPU Usage", "High number of errors", "No more incoming events")
FIELDS: Final = (
    *("cpu.usage", "mem.usage", "mem.free", "requests.count", "requests.latency_avg", "requests.latency_sum"),
    *("eventsIn.count", "eventsOut.count", "warnings.count", "errors.count"),
)
