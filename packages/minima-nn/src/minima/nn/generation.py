"""Writing on from tokens, one at a time, with a model of the next one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minima import Generator, Tensor, asarray, concat, init, no_grad
from minima.errors import ArgumentError, DTypeError, ShapeError

from .arguments import check_floating, integer, real
from .cache import KVCache

__all__ = ["generate", "sample_tokens"]


def sample_tokens(
    logits: Tensor,
    temperature: float = 1.0,
    *,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Draw one token for each row, with the probabilities softmax(logits / temperature).

    *temperature* 0 takes the likeliest. *top_k* leaves that many of the likeliest; *top_p* the
    fewest whose probabilities reach it in sum. *generator* defaults to the one of
    `minima.manual_seed`.

    Shapes: logits (N, V) -> (N,) int64.
    Raises: ShapeError, DTypeError for other logits, ArgumentError for options out of range.
    Source: Fan et al. 2018, for top_k; Holtzman et al. 2020, for top_p.

    >>> mi.nn.sample_tokens(mi.Tensor([[0.0, 2.0, 1.0]]), top_k=1)
    Tensor([1])
    """
    name = "sample_tokens"
    check_floating(name, "logits", logits)
    if logits.ndim != 2 or not logits.shape[1]:
        raise ShapeError(f"{name}: logits has shape {logits.shape}; expected (N, V)")
    heat = real(name, "temperature", temperature, low=0.0)
    keep = None if top_k is None else integer(name, "top_k", top_k)
    share = None if top_p is None else real(name, "top_p", top_p, low=0.0, high=1.0)
    scores = logits.detach().astype("float64").numpy()
    if not heat:
        return asarray(np.argmax(scores, axis=1), device=logits.device)
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    chances = np.exp((ranked - ranked[:, :1]) / heat)
    if keep is not None:
        chances[:, keep:] = 0.0
    before = np.cumsum(chances, axis=1) - chances
    if share is not None:
        chances[:, 1:][(before >= share * chances.sum(axis=1, keepdims=True))[:, 1:]] = 0.0
    reached = np.cumsum(chances, axis=1)
    drawn = init.rand(len(scores), 1, dtype="float64", generator=generator).numpy()
    at = np.argmax(reached > drawn * reached[:, -1:], axis=1)
    tokens = np.take_along_axis(order, at[:, None], axis=1)[:, 0]
    return asarray(tokens.astype("int64"), device=logits.device)


def generate(
    model: Callable[..., Tensor],
    tokens: Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop_token: int | None = None,
    cache: KVCache | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return *tokens* and those that follow, each drawn by `sample_tokens` from what *model* says.

    *model* is called with tokens (N, T), and returns logits (N, T, V). With *cache*, which is
    emptied first, it is called with ``cache=`` too, after the first call with the last token alone.
    A row that came to *stop_token* goes on with it; when all have, nothing more is drawn. *model*
    runs in the mode that it is in, so call ``eval()`` first, and without gradients.

    Shapes: tokens (N, T) integers -> (N, T + at most max_new_tokens).
    Raises: ShapeError, DTypeError where tokens or logits do not fit, ArgumentError for options.

    >>> next_one = lambda tokens: mi.one_hot((tokens + 1) % 5, 5)
    >>> mi.nn.generate(next_one, mi.Tensor([[2, 3]]), 4)
    Tensor([[2, 3, 4, 0, 1, 2]])
    """
    name = "generate"
    count = integer(name, "max_new_tokens", max_new_tokens, low=0)
    kind: Any = getattr(tokens, "dtype", type(tokens).__name__)
    if getattr(kind, "kind", "") not in ("i", "u") or not hasattr(tokens, "detach"):
        raise DTypeError(f"{name}: tokens is of {kind}; expected a Tensor of integers")
    if tokens.ndim != 2 or not tokens.shape[1]:
        raise ShapeError(f"{name}: tokens has shape {tokens.shape}; expected (N, T), T at least 1")
    if cache is not None and not isinstance(cache, KVCache):
        raise ArgumentError(f"{name}: cache is {cache!r}; expected a KVCache or None")
    options: dict[str, Any] = {} if cache is None else {"cache": cache}
    if cache is not None:
        cache.reset()
    done = np.zeros(tokens.shape[0], bool)
    given = tokens
    with no_grad():
        for _ in range(count):
            logits = model(given, **options)
            if logits.ndim != 3 or logits.shape[:2] != given.shape:
                raise ShapeError(
                    f"{name}: the model gave shape {logits.shape}; expected "
                    f"({given.shape[0]}, {given.shape[1]}, V)"
                )
            drawn = sample_tokens(
                logits[:, -1].astype("float64"),
                temperature,
                top_k=top_k,
                top_p=top_p,
                generator=generator,
            ).numpy()
            if stop_token is not None:
                drawn = np.where(done, stop_token, drawn)
                done |= drawn == stop_token
            new = asarray(drawn[:, None], device=tokens.device).astype(tokens.dtype)
            tokens = concat([tokens, new], axis=1)
            given = tokens if cache is None else new
            if done.all():
                break
    return tokens
