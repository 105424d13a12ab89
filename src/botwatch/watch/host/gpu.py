"""Graphics processors, through NVIDIA's management library where there is one.

Without it nothing is reported: a machine without a GPU has no usage, which is not the same as 0.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NoReturn

from botwatch import limits
from botwatch.watch.host.part import Unknown
from botwatch.watch.reading import Reading

_LIBRARY: Final = "libnvidia-ml.so.1"
_AGAIN_S: Final = 300.0
_NOT_TOLD: Final = frozenset({"NVMLError_NotSupported", "NVMLError_NoPermission"})


def nvml() -> Any:
    """The library, started. Its module is large, and only loaded where the driver is."""
    try:
        ctypes.CDLL(_LIBRARY)
    except OSError:
        raise Unknown(f"no NVIDIA driver on this machine ({_LIBRARY} was not found)") from None
    try:
        library = importlib.import_module("pynvml")
        library.nvmlInit()
    except ModuleNotFoundError:
        raise Unknown("the package nvidia-ml-py is not installed") from None
    except Exception as error:
        raise Unknown(f"the NVIDIA driver does not answer ({type(error).__name__})") from None
    return library


class Gpu:
    """A driver that is not there is looked for again every few minutes."""

    name = "gpu"

    def __init__(self, open_library: Callable[[], Any] = nvml) -> None:
        self._open = open_library
        self._library: Any = None
        self._why = ""
        self._again_s = float("-inf")

    def read(self, now_s: float) -> Sequence[Reading]:
        if self._library is None:
            self._look(now_s)
        try:
            found = list(_devices(self._library))
        except Exception as error:
            self._lose(f"the NVIDIA driver does not answer ({type(error).__name__})", now_s)
        if not found:
            self._lose("the NVIDIA driver finds no GPU", now_s)
        return found

    def _look(self, now_s: float) -> None:
        if now_s < self._again_s:
            raise Unknown(self._why)
        try:
            self._library = self._open()
        except Unknown as error:
            self._lose(str(error), now_s)

    def _lose(self, why: str, now_s: float) -> NoReturn:
        self._library, self._why, self._again_s = None, why, now_s + _AGAIN_S
        raise Unknown(why)


def _devices(library: Any) -> Iterator[Reading]:
    for index in range(min(library.nvmlDeviceGetCount(), limits.HOST_GPUS_MAX)):
        handle = library.nvmlDeviceGetHandleByIndex(index)
        labels = {"hw.id": str(index), "hw.name": _text(library.nvmlDeviceGetName(handle))}
        busy = _told(library.nvmlDeviceGetUtilizationRates, handle)
        if busy is not None:
            yield Reading("hw.gpu.utilization", busy.gpu / 100, "1", labels)
        memory = _told(library.nvmlDeviceGetMemoryInfo, handle)
        if memory is not None:
            yield Reading("hw.gpu.memory.usage", float(memory.used), "By", labels)
            yield Reading("hw.gpu.memory.limit", float(memory.total), "By", labels)
            yield Reading("hw.gpu.memory.utilization", memory.used / max(memory.total, 1), "1", labels)
        celsius = _told(library.nvmlDeviceGetTemperature, handle, library.NVML_TEMPERATURE_GPU)
        if celsius is not None:
            yield Reading("hw.temperature", float(celsius), "Cel", labels)


def _told(ask: Callable[..., Any], *about: Any) -> Any:
    """None where this card does not tell it: one without a sensor, or one that was split into parts."""
    try:
        return ask(*about)
    except Exception as error:
        if type(error).__name__ in _NOT_TOLD:
            return None
        raise


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
