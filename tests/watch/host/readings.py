"""Finding one reading among many."""

from __future__ import annotations

from collections.abc import Iterable

from botwatch.watch.reading import Reading


def one(readings: Iterable[Reading], name: str, /, **labels: str) -> float:
    """The value of the only reading of that name whose labels have these values, whatever the labels are called."""
    found = [
        reading
        for reading in readings
        if reading.name == name and set(labels.values()) <= set(map(str, reading.attributes.values()))
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0].value
