"""Machine code from LLVM's language, kept on disk so that it is made once for a machine."""

from __future__ import annotations

import hashlib
from functools import cache
from threading import RLock
from typing import Any

import llvmlite
import llvmlite.binding as llvm
from llvmlite.binding.object_file import ObjectFileRef

from minima.cache import Cache

__all__ = ["UNROLLED_ALREADY", "address_of", "compiled", "optimised"]

_lock = RLock()
_engines: list[Any] = []  # what keeps the code in memory
_addresses: dict[tuple[str, str], int] = {}
#: the first line of modules whose loops hold as much as they should: that halves the time it takes
UNROLLED_ALREADY = "; unrolled already"
_OPTIONS = '"prefer-vector-width"="512"'


@cache
def _machine() -> Any:
    """Return what LLVM knows of this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=_processor()[0], features=_processor()[1], opt=3)


@cache
def _processor() -> tuple[str, str]:
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def key_of(source: str) -> str:
    """Return the name of the code that *source* has on this machine."""
    parts = (source, llvmlite.__version__, str(llvm.llvm_version_info), *_processor(), _OPTIONS)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def optimised(source: str) -> str:
    """Return a module as LLVM's passes leave it, for people to read."""
    return str(_optimised(source))


def compiled(source: str) -> bytes:
    """Return the object file of a module: the optimised machine code."""
    code: bytes = _machine().emit_object(_optimised(source))
    return code


def _optimised(source: str) -> Any:
    machine = _machine()
    module = llvm.parse_assembly(source.replace(" nounwind {", f" nounwind {_OPTIONS} {{"))
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.loop_interleaving = True
    options.slp_vectorization = options.loop_unrolling = not source.startswith(UNROLLED_ALREADY)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def address_of(source: str, function: str = "k") -> int:
    """Return the address of *function* of a module, from memory, from disk or compiled now."""
    with _lock:
        key = key_of(source)
        found = _addresses.get((key, function))
        if found is None:
            store = Cache.open()
            code = store.get(key) if store is not None else None
            if code is None:
                code = compiled(source)
                if store is not None:
                    store.put(key, code)
            found = _addresses[key, function] = _loaded(code, function)
        return found


def _loaded(code: bytes, function: str) -> int:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    address: int = engine.get_function_address(function)
    return address
