"""GPUs: none here, so that the reason is tried against this machine and the figures against the library's shape."""

from __future__ import annotations

import ctypes
import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from botwatch.watch.host.gpu import Gpu, nvml
from botwatch.watch.host.part import Unknown
from tests.watch.host.readings import one


def has_driver() -> bool:
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


class Library:
    """As nvidia-ml-py: two cards, the second without a sensor."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        self.count = 2
        self.fails = False

    def nvmlDeviceGetCount(self) -> int:
        if self.fails:
            raise RuntimeError("GPU is lost")
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:
        return (b"old name", "A100")[handle]

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return SimpleNamespace(gpu=(37, 100)[handle])

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(used=20, total=80)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        if handle:
            raise RuntimeError("not supported")
        return 61


def test_this_machine_tells_every_card_or_why_there_is_none() -> None:
    if has_driver():
        assert len([r for r in Gpu().read(0) if r.name == "hw.gpu.utilization"]) == nvml().nvmlDeviceGetCount()
    else:
        with pytest.raises(Unknown, match=r"no NVIDIA driver on this machine \(libnvidia-ml.so.1 was not found\)"):
            Gpu().read(0)


def test_the_library_has_what_is_asked_of_it() -> None:
    pynvml = importlib.import_module("pynvml")
    asked = [name for name in vars(Library) if name.startswith(("nvml", "NVML"))]
    assert asked
    assert [name for name in asked if not hasattr(pynvml, name)] == []


def test_every_card_is_told() -> None:
    readings = Gpu(Library).read(0)
    assert one(readings, "hw.gpu.utilization", id="0", name="old name") == 0.37
    assert one(readings, "hw.gpu.utilization", id="1", name="A100") == 1
    assert one(readings, "hw.gpu.memory.utilization", id="1") == 0.25
    assert one(readings, "hw.temperature") == 61


def test_a_lost_card_is_told_and_found_again_after_a_while() -> None:
    library, opened = Library(), []

    def open_library() -> Library:
        opened.append(1)
        return library

    gpu = Gpu(open_library)
    gpu.read(0)
    library.fails = True
    with pytest.raises(Unknown, match=r"does not answer \(RuntimeError\)"):
        gpu.read(10)
    library.fails = False
    with pytest.raises(Unknown, match="does not answer"):
        gpu.read(20)
    assert len(opened) == 1
    assert gpu.read(1_000)
    assert len(opened) == 2


def test_a_driver_without_a_card_is_told() -> None:
    library = Library()
    library.count = 0
    with pytest.raises(Unknown, match="finds no GPU"):
        Gpu(lambda: library).read(0)
