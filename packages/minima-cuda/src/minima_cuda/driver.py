"""Ask the NVIDIA driver what there is. Also a script, which imports nothing of minima.

`availability` runs it in a process of its own: a driver may hang or crash while it starts, and
a process in which it has started can no longer fork workers that use the GPU.
"""

import ctypes
import json
import sys
from typing import Any, TypedDict

__all__ = ["Answer", "ask", "load"]

#: CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
_MAJOR, _MINOR = 75, 76

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


class Answer(TypedDict):
    """What the driver says; *error* and *name* are those of the first call that failed.

    *gpus*: the name and the architecture of each, 75 for sm_75; empty where it does not say.
    """

    library: str
    found: bool
    error: int
    name: str
    version: int
    count: int
    gpus: list[tuple[str, int]]


def load() -> Any:
    """Return the driver's library, None where there is none."""
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError:
        return None


def ask(library: Any) -> Answer:
    """Return what the driver, loaded as *library*, says of itself and of its GPUs."""
    answer = Answer(
        library=LIBRARY, found=library is not None, error=0, name="", version=0, count=0, gpus=[]
    )
    if library is None:
        return answer
    version, count, name = ctypes.c_int(), ctypes.c_int(), ctypes.c_char_p()
    answer["error"] = (
        library.cuInit(0)
        or library.cuDriverGetVersion(ctypes.byref(version))
        or library.cuDeviceGetCount(ctypes.byref(count))
    )
    if answer["error"] and library.cuGetErrorName(answer["error"], ctypes.byref(name)) == 0:
        answer["name"] = (name.value or b"").decode()
    answer["version"], answer["count"] = version.value, count.value
    answer["gpus"] = [_gpu(library, number) for number in range(count.value)]
    return answer


def _gpu(library: Any, number: int) -> tuple[str, int]:
    """Return the name and the architecture of a GPU, which is 0 where the driver fails."""
    handle, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    major, minor = ctypes.c_int(), ctypes.c_int()
    failed = (
        library.cuDeviceGet(ctypes.byref(handle), number)
        or library.cuDeviceGetName(name, len(name), handle)
        or library.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, handle)
        or library.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, handle)
    )
    found = name.value.decode(errors="replace") or f"GPU {number}"
    return found, 0 if failed else 10 * major.value + minor.value


if __name__ == "__main__":
    print(json.dumps(ask(load())))
