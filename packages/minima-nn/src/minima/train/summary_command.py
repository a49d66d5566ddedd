"""``minima summary``: the layers of a model as a table."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from minima.errors import ArgumentError, MinimaError
from minima.hookspec import hookimpl

__all__ = ["MINIMA_API", "add", "run"]

MINIMA_API = 1


@hookimpl
def minima_register_commands(registry: Any) -> None:
    """Offer `summary`."""
    registry.add("summary", add)


def add(subparsers: Any) -> None:
    """Add the sub-command and its options."""
    parser = subparsers.add_parser(
        "summary", help="print a model's layers: shapes, parameters, multiply-adds, memory"
    )
    parser.add_argument(
        "model", metavar="MODULE:NAME", help="a Module, or a function or class that makes one"
    )
    parser.add_argument(
        "shapes",
        nargs="+",
        metavar="SHAPE",
        help="the shape of each input with its batch, such as 1,3,32,32",
    )
    parser.add_argument("--dtype", default="float32", help="of the inputs; float32")
    parser.add_argument("--depth", type=int, help="how many levels down; default: all")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table; 2 when the model or the shapes are wrong."""
    from minima.nn import summary

    try:
        model = _model(options.model)
        shapes = [_shape(text) for text in options.shapes]
        print(summary(model, shapes, dtypes=options.dtype, depth=options.depth))
    except MinimaError as error:
        print(f"minima summary: {error}", file=sys.stderr)
        return 2
    return 0


def _model(name: str) -> Any:
    from minima.nn import Module

    module, colon, path = name.partition(":")
    if not colon or not module or not path:
        raise ArgumentError(f"the model is {name!r}; expected MODULE:NAME")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ArgumentError(f"the model is {name!r}; expected one that is there: {error}") from None
    model = found if isinstance(found, Module) or not callable(found) else _made(name, found)
    if not isinstance(model, Module):
        raise ArgumentError(f"{name} gave a {type(model).__name__}; expected a Module")
    return model


def _made(name: str, make: Any) -> Any:
    """Return what *make* gives when it is called without arguments."""
    try:
        signature(make).bind()
    except ValueError:  # of C: it has no signature to read
        pass
    except TypeError as error:
        raise ArgumentError(
            f"{name} cannot be called without arguments: {error}; expected a function that makes "
            "the model"
        ) from None
    return make()


def _shape(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(n) for n in text.replace("x", ",").split(",") if n)
    except ValueError:
        sizes = (-1,)
    if min(sizes, default=0) < 0:
        raise ArgumentError(f"the shape is {text!r}; expected sizes such as 1,3,32,32")
    return sizes
