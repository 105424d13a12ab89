"""GPUs: none here, so that the reason is tried against this machine, and the figures through NVIDIA's own Python
library over a driver made of C functions, as its header has them."""

from __future__ import annotations

import ctypes
import functools
import importlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from botwatch.watch.host.gpu import Gpu
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
        return 61 + handle


@dataclass
class Card:
    """What the driver tells of it, in the units of its header; or the number of the error it answers with."""

    name: bytes = b"A100"
    busy: int = 0
    used: int = 0
    total: int = 80 << 30
    celsius: int = 40
    busy_error: int = 0
    memory_error: int = 0
    celsius_error: int = 0


NOT_SUPPORTED, DRIVER_NOT_LOADED, GPU_IS_LOST = 3, 9, 15


class Driver:
    """`libnvidia-ml.so.1` as C functions: what is asked goes over the real calling convention and back."""

    def __init__(self, *cards: Card, init: int = 0) -> None:
        def put(address: int, kind: Any, *values: int) -> int:
            (kind * len(values)).from_address(address)[:] = values
            return 0

        def card(handle: int) -> Card:
            return cards[handle - 1]

        def name(handle: int, address: int, size: int) -> int:
            ctypes.memmove(address, card(handle).name.ljust(size, b"\0"), size)
            return 0

        def busy(handle: int, address: int) -> int:
            return card(handle).busy_error or put(address, ctypes.c_uint, card(handle).busy, 0)

        def memory(handle: int, address: int) -> int:
            found = card(handle)
            told = (found.total, found.total - found.used, found.used)
            return found.memory_error or put(address, ctypes.c_ulonglong, *told)

        def celsius(handle: int, sensor: int, address: int) -> int:
            return card(handle).celsius_error or put(address, ctypes.c_uint, card(handle).celsius)

        number, pointer = ctypes.c_uint, ctypes.c_void_p
        returns = functools.partial(ctypes.CFUNCTYPE, number)
        self.nvmlInitWithFlags = returns(number)(lambda flags: init)
        self.nvmlDeviceGetCount_v2 = returns(pointer)(lambda address: put(address, number, len(cards)))
        self.nvmlDeviceGetHandleByIndex_v2 = returns(number, pointer)(
            lambda index, address: put(address, ctypes.c_size_t, index + 1)
        )
        self.nvmlDeviceGetName = returns(pointer, pointer, number)(name)
        self.nvmlDeviceGetUtilizationRates = returns(pointer, pointer)(busy)
        self.nvmlDeviceGetMemoryInfo = returns(pointer, pointer)(memory)
        self.nvmlDeviceGetTemperature = returns(pointer, number, pointer)(celsius)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Driver], None]:
    pynvml = importlib.import_module("pynvml")

    def installed(driver: Driver) -> None:
        for module in (ctypes, pynvml):
            monkeypatch.setattr(module, "CDLL", lambda name: driver)
        monkeypatch.setattr(pynvml, "nvmlLib", None)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})

    return installed


def test_what_the_driver_says_is_told_through_its_own_library(install: Callable[[Driver], None]) -> None:
    install(Driver(Card(busy=37, used=20 << 30, celsius=61), Card(name=b"H100", busy=100)))
    readings = Gpu().read(0)
    assert one(readings, "hw.gpu.utilization", id="0", name="A100") == 0.37
    assert one(readings, "hw.gpu.utilization", id="1", name="H100") == 1
    assert one(readings, "hw.gpu.memory.usage", id="0") == 20 << 30
    assert one(readings, "hw.gpu.memory.limit", id="0") == 80 << 30
    assert one(readings, "hw.gpu.memory.utilization", id="0") == 0.25
    assert one(readings, "hw.temperature", id="0") == 61


def test_what_one_card_does_not_tell_is_unknown_of_that_card_alone(install: Callable[[Driver], None]) -> None:
    install(Driver(Card(busy_error=NOT_SUPPORTED, celsius_error=NOT_SUPPORTED, used=1 << 30), Card(busy=9)))
    readings = Gpu().read(0)
    assert [r.attributes["hw.id"] for r in readings if r.name == "hw.gpu.utilization"] == ["1"]
    assert [r.attributes["hw.id"] for r in readings if r.name == "hw.temperature"] == ["1"]
    assert one(readings, "hw.gpu.memory.usage", id="0") == 1 << 30


@pytest.mark.parametrize(
    ("driver", "reason"),
    [
        (Driver(init=DRIVER_NOT_LOADED), r"does not answer \(NVMLError_DriverNotLoaded\)"),
        (Driver(Card(memory_error=GPU_IS_LOST)), r"does not answer \(NVMLError_GpuIsLost\)"),
        (Driver(), "finds no GPU"),
    ],
)
def test_a_driver_that_fails_is_a_reason_and_never_a_zero(
    install: Callable[[Driver], None], driver: Driver, reason: str
) -> None:
    install(driver)
    with pytest.raises(Unknown, match=reason):
        Gpu().read(0)


def test_this_machine_tells_what_nvidia_smi_says_or_why_there_is_none() -> None:
    if has_driver():
        query = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
        told = subprocess.run(query, capture_output=True, check=True, text=True).stdout.split()
        readings = [reading for reading in Gpu().read(0) if reading.name == "hw.gpu.memory.limit"]
        assert [reading.value / 2**20 for reading in readings] == [pytest.approx(float(size), abs=1) for size in told]
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
    assert one(readings, "hw.temperature", id="0") == 61


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
