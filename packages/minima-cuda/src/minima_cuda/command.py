"""``minima cuda``: compile kernels ahead of time, and list what each of them uses."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from minima.errors import ArgumentError
from minima.hookspec import hookimpl

if TYPE_CHECKING:
    from .compile import Module
    from .sources import Source

__all__ = ["MINIMA_API", "add", "compile_modules", "list_kernels", "print_page", "record"]

MINIMA_API = 1


@hookimpl
def minima_register_commands(registry: Any) -> None:
    """Offer `cuda`."""
    registry.add("cuda", add)


def add(subparsers: Any) -> None:
    """Add `minima cuda` and its sub-commands, none of which needs a GPU."""
    parser = subparsers.add_parser("cuda", help="compile CUDA kernels, and list what they use")
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    action = actions.add_parser("compile", help="compile ahead of time, into the user's cache")
    _add_options(action, "all")
    action.set_defaults(run=compile_modules)
    action = actions.add_parser("kernels", help="list registers, shared memory and spills")
    _add_options(action, "sm_90")
    action.add_argument("--json", action="store_true", help="print the table as JSON")
    action.set_defaults(run=list_kernels)
    action = actions.add_parser("roofline", help="print what each kernel should take, as a page")
    action.add_argument(
        "--resources", type=Path, required=True, metavar="FILE", help="what kernels --json printed"
    )
    action.set_defaults(run=print_page)


def _add_options(parser: argparse.ArgumentParser, arch: str) -> None:
    help_ = f"sm_75,sm_90,... or all; {arch}"
    parser.add_argument("--arch", default=arch, metavar="NAMES", help=help_)
    parser.add_argument("families", nargs="*", metavar="FILE", help="kernel files; default: all")


def chosen(options: argparse.Namespace) -> tuple[list[Source], tuple[str, ...]]:
    """Return the modules and the architectures that *options* name.

    Raises: ArgumentError for a name that there is not.
    """
    from .compile import ARCHITECTURES, fitting
    from .modules import families, modules
    from .nvrtc import nvrtc

    for family in options.families:
        if family not in families():
            raise ArgumentError(
                f"there is no kernel file {family!r}; choose from {_list(families())}"
            )
    names = ARCHITECTURES if options.arch == "all" else tuple(options.arch.split(","))
    known = nvrtc().architectures
    for name in names:
        if not name.removeprefix("sm_").isdigit() or fitting(name, known) is None:
            raise ArgumentError(
                f"NVRTC {nvrtc().version} has no architecture {name!r}; choose from {_list(known)}"
            )
    return modules(options.families), names


def _list(names: Any) -> str:
    return ", ".join(names)


def compiled_all(
    sources: list[Source], names: tuple[str, ...]
) -> Iterator[tuple[Source, str, Module]]:
    """Yield each source compiled for each architecture, in order, from as many threads as CPUs."""
    from .compile import compiled

    jobs = [(source, name) for source in sources for name in names]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            found = pool.map(lambda job: compiled(*job), jobs)
            yield from ((*job, module) for job, module in zip(jobs, found))
        finally:  # after an error, or Ctrl-C, the rest is not wanted
            pool.shutdown(cancel_futures=True)


def compile_modules(options: argparse.Namespace) -> int:
    """Compile what *options* name; the next process finds it in the cache."""
    from .modules import name_of

    begin, count, size = perf_counter(), 0, 0
    for source, name, module in compiled_all(*chosen(options)):
        count, size = count + 1, size + len(module.code)
        print(f"{name:<7} {name_of(source):<32} {len(module.code):>9,} bytes", flush=True)
    seconds = perf_counter() - begin
    print(f"{count} modules, {size / 1e6:.1f} MB of code, in {seconds:.1f} s")
    return 0


def list_kernels(options: argparse.Namespace) -> int:
    """Print what each kernel uses, with what is wrong with it; 1 where something is."""
    from .modules import name_of
    from .resources import faults, resources

    sources, names = chosen(options)
    if options.json:
        print(dumps(record(sources, names)))
        return 0
    print(f"{'':<46} {'':<7} registers shared stack spills threads")
    wrong = 0
    for source, name, module in compiled_all(sources, names):
        for kernel, found in resources(module).items():
            what = faults(kernel, found)
            wrong += bool(what)
            label = f"{name_of(source)} {kernel}"
            print(
                f"{label:<46} {name:<7} {found.registers:>9} {found.shared:>6} {found.stack:>5} "
                f"{found.spills:>6} {found.threads:>7} {'; '.join(what)}".rstrip()
            )
    return 1 if wrong else 0


def print_page(options: argparse.Namespace) -> int:
    """Print the page of the documentation on what kernels take."""
    from .page import page

    try:
        table = json.loads(options.resources.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArgumentError(f"--resources {options.resources} cannot be read: {error}") from error
    print(page(table), end="")
    return 0


def record(sources: list[Source], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the table of what the kernels of *sources* use on each architecture."""
    from .compile import digest
    from .modules import name_of
    from .nvrtc import nvrtc
    from .resources import Resources, resources

    modules: dict[str, Any] = {}
    for source, _, module in compiled_all(sources, names):
        entry = modules.setdefault(name_of(source), {"text": digest(source), "kernels": {}})
        for kernel, found in resources(module).items():
            entry["kernels"].setdefault(kernel, []).append(list(found))
    fields = list(Resources._fields)
    head = {"nvrtc": nvrtc().version, "architectures": list(names), "fields": fields}
    return {**head, "modules": modules}


def dumps(table: dict[str, Any]) -> str:
    """Return *table* as JSON with a line for each kernel."""
    lines = [f" {json.dumps(key)}: {json.dumps(table[key])}," for key in list(table)[:-1]]
    lines.append(' "modules": {')
    for name, entry in table["modules"].items():
        kernels = [f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in entry["kernels"].items()]
        text = json.dumps(entry["text"])
        last = name == list(table["modules"])[-1]
        lines.append(f'  {json.dumps(name)}: {{"text": {text}, "kernels": {{')
        lines.append(",\n".join(kernels))
        lines.append("  }}" + ("" if last else ","))
    return "\n".join(["{", *lines, " }", "}"])
