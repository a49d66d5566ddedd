"""The command ``minima``: sub-commands of minima itself and of whatever package adds one.

Only the package whose sub-command is called gets loaded; ``minima --help`` loads all, and lists
a broken one with its reason. A mistake of the user is one line on stderr and exit code 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, NoReturn

from . import registry
from .errors import MinimaError, PluginError

__all__ = ["BUILT_IN", "main"]

AddCommand = Callable[[Any], object]

#: the project's own distributions, listed by ``minima info`` whether installed or not
_PACKAGES = ("minima-core", "minima-nn", "minima-cuda", "minima-numba")


class _UsageError(MinimaError):
    """A command line that a parser refuses; *prog* says which one."""

    def __init__(self, prog: str, message: str) -> None:
        super().__init__(message)
        self.prog = prog


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and which guesses no abbreviations."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        raise _UsageError(self.prog, message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse here what a sub-parser would pass up: only it knows which options there are."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            what = "unknown option" if unknown[0].startswith("-") else "unexpected argument"
            self.error(f"{what} {unknown[0]}; {_one_line(self.format_usage())}")
        return found, unknown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments*, by default the process's own; return the exit code.

    The code is 0, 2 after a mistake of the user (one line on stderr says which), 130 after
    Ctrl-C, or what the sub-command returns.

    >>> from minima.command import main
    >>> main(["plugins", "--chek"])
    2
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in words if not word.startswith("-")), None)
    prog = f"minima {command}" if command else "minima"
    try:
        code = _run(words, command)
        sys.stdout.flush()
        return code
    except _UsageError as error:
        return _say(error.prog, str(error), 2)
    except MinimaError as error:
        return _say(prog, str(error), 2)
    except KeyboardInterrupt:
        return _say(prog, "interrupted", 130)
    except BrokenPipeError:  # the reader, such as head, has enough: nothing to complain about
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _say(prog: str, message: str, code: int) -> int:
    print(f"{prog}: {_one_line(message)}", file=sys.stderr)
    return code


def _run(words: list[str], command: str | None) -> int:
    parser = _parser(command, everything=words[:1] in (["-h"], ["--help"]))
    try:
        options = parser.parse_args(words)
    except SystemExit as asked_for_help:
        return int(asked_for_help.code or 0)
    if options.version:
        print(f"minima-core {_version('minima-core')}")
        return 0
    if command is None:
        raise _UsageError("minima", f"no command given; choose from {_choices()}")
    if not callable(getattr(options, "run", None)):
        raise _UsageError(f"minima {command}", f"says too little; see minima {command} --help")
    return int(options.run(options) or 0)


def _parser(command: str | None, *, everything: bool) -> _Parser:
    """Return a parser for *command* alone, or for every command, broken ones included."""
    parser = _Parser(
        prog="minima", description="A deep-learning framework to read in an afternoon."
    )
    parser.add_argument("--version", action="store_true", help="print the version of minima-core")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", prog="minima")
    if everything:
        for name in registry.names("command"):
            _add_even_if_broken(subparsers, name)
    elif command in registry.names("command"):
        _tried(command)(subparsers)
    elif command is not None:
        raise _UsageError("minima", f"there is no command {command!r}; choose from {_choices()}")
    return parser


def _add_even_if_broken(subparsers: Any, name: str) -> None:
    try:
        _tried(name)(subparsers)
    except PluginError as error:
        reason = _one_line(str(error)).replace("%", "%%")  # argparse formats help with %
        subparsers.add_parser(name, help=f"broken: {reason}")


def _tried(name: str) -> AddCommand:
    """Return the function that adds command *name*, having tried it on a parser of its own.

    Raises: PluginError when its plugin is broken, or the function fails or adds another name.
    """
    with redirect_stdout(sys.stderr):  # what a plugin prints as it loads is no command's output
        add: AddCommand = registry.lookup("command", name)
        parser = _Parser(prog="minima")
        trial = parser.add_subparsers()
        try:
            add(trial)
            for shown in (parser, *trial.choices.values()):
                shown.format_help()  # fails on a bare % in a help text
        except (Exception, SystemExit) as error:
            reason = f"add(subparsers), or its help, raises {type(error).__name__}: {error}"
            raise PluginError(f"command {name!r} cannot be used: its {reason}") from error
    if list(trial.choices) != [name]:
        added = ", ".join(map(repr, trial.choices)) or "nothing"
        raise PluginError(f"command {name!r} cannot be used: its add(subparsers) adds {added}")
    return add


def _choices() -> str:
    return ", ".join(registry.names("command"))


def _add_info(subparsers: Any) -> None:
    parser = subparsers.add_parser("info", help="print the versions of all that takes part")
    parser.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> int:
    import platform

    import numpy as np

    packages = {name: _version(name) for name in _PACKAGES}
    known = {f"{name} {version}" for name, version in packages.items()}
    plugins = {status.distribution for status in registry.statuses()} - known
    rows = [
        *packages.items(),
        *(("plugin", distribution) for distribution in sorted(plugins)),
        ("pluggy", _version("pluggy")),
        ("NumPy", np.__version__),
        ("BLAS", _blas(np.show_config(mode="dicts"))),
        ("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("platform", platform.platform()),
        ("processors", str(os.cpu_count())),
    ]
    _print_table(rows)
    return 0


def _blas(config: Any) -> str:
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return " ".join(filter(None, [blas.get("name", "unknown"), blas.get("version")]))


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def _add_devices(subparsers: Any) -> None:
    parser = subparsers.add_parser("devices", help="list the devices, or why one is unavailable")
    parser.set_defaults(run=_devices)


def _devices(options: argparse.Namespace) -> int:
    _print_table([(name, _availability(name)) for name in registry.names("device")])
    return 0


def _availability(name: str) -> str:
    with redirect_stdout(sys.stderr):
        try:
            device = registry.lookup("device", name)(None)
            memory = device.memory_stats()
        except MinimaError as error:
            return _one_line(str(error))
        except Exception as error:
            return _one_line(f"broken: opening it raises {type(error).__name__}: {error}")
    return ", ".join(["available", *(f"{key} {value:,} bytes" for key, value in memory.items())])


def _add_plugins(subparsers: Any) -> None:
    parser = subparsers.add_parser("plugins", help="list the installed plugins")
    parser.add_argument("--check", action="store_true", help="load each; exit 1 if one is broken")
    parser.set_defaults(run=_plugins)


def _plugins(options: argparse.Namespace) -> int:
    statuses = list(_load_each() if options.check else registry.statuses())
    if statuses:
        _print_table(
            [(s.group or "?", s.name or "?", s.distribution, s.state, s.reason) for s in statuses]
        )
    elif os.environ.get("MINIMA_PLUGINS") == "0":
        print("plugins are switched off by MINIMA_PLUGINS=0")
    else:
        print("no plugins are installed")
    return int(options.check and any(s.state in ("broken", "conflict") for s in statuses))


def _load_each() -> Iterator[registry.Status]:
    """Load every plugin, with a remark on what a user would notice beside the state."""
    loading = registry.load_all()
    while True:
        with redirect_stdout(StringIO()) as printed:
            status = next(loading, None)
        if status is None:
            return
        if status.state == "loaded" and status.group == registry.GROUPS["command"]:
            try:
                _tried(status.name)
            except PluginError as error:
                status.state, status.reason = "broken", str(error)
        if printed.getvalue() and not status.reason:
            status.reason = f"prints as it loads: {_one_line(printed.getvalue())[:60]!r}"
        yield status


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _one_line(text: str) -> str:
    return " ".join(text.split())


#: the sub-commands of minima itself, offered in the same way as a plugin's
BUILT_IN: dict[str, AddCommand] = {
    "info": _add_info,
    "devices": _add_devices,
    "plugins": _add_plugins,
}
