"""JAX: the workloads as functions, a whole step in one jit; images with channels last."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minima.train.bench.workloads import LEARNING_RATE, Workload

__all__ = ["jit"]

Weights = dict[str, Any]


def jit(workload: Workload, training: bool) -> Jax:
    """Run a whole step, or the model, through jax.jit."""
    return Jax(workload, training)


class Jax:
    """A workload as pure functions of weights."""

    def __init__(self, workload: Workload, training: bool) -> None:
        self.images = workload.family in ("cnn", "resnet")
        weights = {k: jnp.asarray(_own_layout(k, w)) for k, w in workload.weights().items()}
        model, sizes = _MODELS[workload.family], dict(workload.sizes)

        def logits(weights: Weights, statistics: Weights, x: Any, train: bool) -> Any:
            net = Net(weights, statistics, train)
            return model(net, x, **sizes), net.updated

        def loss(weights: Weights, statistics: Weights, x: Any, y: Any) -> Any:
            z, updated = logits(weights, statistics, x, True)
            picked = jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1)
            return -picked.mean(), updated

        def step(state: Any, x: Any, y: Any) -> Any:
            weights, m, v, statistics, t = state
            (value, statistics), g = jax.value_and_grad(loss, has_aux=True)(
                weights, statistics, x, y
            )
            t = t + 1
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            a, b = 1 - 0.9**t, 1 - 0.999**t
            weights = jax.tree.map(
                lambda p, m, v: p - LEARNING_RATE * (m / a) / (jnp.sqrt(v / b) + 1e-8),
                weights, m, v,
            )  # fmt: skip
            return (weights, m, v, statistics, t), value

        zeros = jax.tree.map(jnp.zeros_like, weights)
        statistics = {
            name.removesuffix(".weight"): (jnp.zeros_like(w), jnp.ones_like(w))
            for name, w in weights.items()
            if self.images and w.ndim == 1 and name.endswith(".weight")
        }
        self.state = (weights, zeros, jax.tree.map(jnp.copy, zeros), statistics, jnp.float32(0))
        self.step = jax.jit(step, donate_argnums=0)
        self.logits = jax.jit(lambda w, s, x: logits(w, s, x, False)[0])

    def batch(self, x: Any, y: Any) -> Any:
        """Return both as arrays."""
        if self.images:
            x = x.transpose(0, 2, 3, 1)
        return jnp.asarray(x), jnp.asarray(y.astype(np.int32))

    def train(self, batch: Any) -> Any:
        """Make one step; return the loss."""
        self.state, loss = self.step(self.state, *batch)
        return loss.block_until_ready()

    def infer(self, batch: Any) -> Any:
        """Return the logits."""
        return self.logits(self.state[0], self.state[3], batch[0]).block_until_ready()

    def value(self, result: Any) -> Any:
        """Return an array as a NumPy array."""
        return np.asarray(result)


def _own_layout(name: str, w: Any) -> Any:
    """Return a weight as JAX's users keep it: (in, out), or (height, width, in, out)."""
    if w.ndim == 4:
        return w.transpose(2, 3, 1, 0)
    kept = ("embedding", "position")
    if w.ndim == 2 and not name.startswith(kept) and len(w) < 10_000:
        return np.ascontiguousarray(w.T)
    return w


class Net:
    """Layers by name, on weights; statistics that a step has changed are in *updated*."""

    def __init__(self, weights: Weights, statistics: Weights, train: bool) -> None:
        self.weights, self.statistics, self.train = weights, statistics, train
        self.updated = dict(statistics)

    def linear(self, name: str, x: Any) -> Any:
        return x @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def conv(self, name: str, x: Any, stride: int = 1) -> Any:
        weight = self.weights[f"{name}.weight"]
        pad = weight.shape[0] // 2
        y = lax.conv_general_dilated(
            x, weight, (stride, stride), ((pad, pad), (pad, pad)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip
        bias = self.weights.get(f"{name}.bias")
        return y if bias is None else y + bias

    def batch_norm(self, name: str, x: Any) -> Any:
        mean, var = self.statistics[name]
        if self.train:
            n = x.size // x.shape[-1]
            now, spread = x.mean((0, 1, 2)), x.var((0, 1, 2))
            self.updated[name] = (
                0.9 * mean + 0.1 * now,
                0.9 * var + 0.1 * spread * (n / (n - 1)),
            )
            mean, var = now, spread
        scale = self.weights[f"{name}.weight"] * lax.rsqrt(var + 1e-5)
        return (x - mean) * scale + self.weights[f"{name}.bias"]

    def layer_norm(self, name: str, x: Any) -> Any:
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        scaled = (x - mean) * lax.rsqrt(var + 1e-5)
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def _mlp(net: Net, x: Any, widths: tuple[int, ...]) -> Any:
    for i in range(len(widths) - 2):
        x = jax.nn.relu(net.linear(str(2 * i), x))
    return net.linear(str(2 * (len(widths) - 2)), x)


def _cnn(net: Net, x: Any, widths: tuple[int, ...], **_: Any) -> Any:
    last = len(widths) - 2
    for i in range(last + 1):
        x = jax.nn.relu(net.batch_norm(str(4 * i + 1), net.conv(str(4 * i), x)))
        if i < last:
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return net.linear(str(4 * last + 5), x.mean((1, 2)))


def _resnet(net: Net, x: Any, widths: tuple[int, ...], blocks: int, **_: Any) -> Any:
    x = jax.nn.relu(net.batch_norm("bn1", net.conv("conv1", x)))
    for i in range(len(widths) * blocks):
        name = f"blocks.{i}"
        down = i and i % blocks == 0
        y = jax.nn.relu(
            net.batch_norm(f"{name}.bn1", net.conv(f"{name}.conv1", x, 2 if down else 1))
        )
        y = net.batch_norm(f"{name}.bn2", net.conv(f"{name}.conv2", y))
        if down:
            x = net.batch_norm(f"{name}.downsample.1", net.conv(f"{name}.downsample.0", x, 2))
        x = jax.nn.relu(x + y)
    return net.linear("fc", x.mean((1, 2)))


def _transformer(
    net: Net, x: Any, d: int, layers: int, heads: int, tokens: int, vocabulary: int
) -> Any:
    x = net.weights["embedding.weight"][x] + net.weights["position.weight"]
    for i in range(layers):
        name = f"blocks.{i}"
        h = net.layer_norm(f"{name}.norm1", x)
        h = h @ net.weights[f"{name}.self_attn.in_proj_weight"]
        h = h + net.weights[f"{name}.self_attn.in_proj_bias"]
        q, k, v = (a.reshape(*a.shape[:2], heads, d // heads) for a in jnp.split(h, 3, -1))
        h = jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(x.shape)
        x = x + net.linear(f"{name}.self_attn.out_proj", h)
        h = net.linear(f"{name}.linear1", net.layer_norm(f"{name}.norm2", x))
        x = x + net.linear(f"{name}.linear2", jax.nn.gelu(h, approximate=False))
    x = net.linear("output", net.layer_norm("norm", x))
    return x.reshape(-1, vocabulary)


def _recurrent(net: Net, x: Any, kind: str, hidden: int, **_: Any) -> Any:
    w = {k.removeprefix("recurrent."): v for k, v in net.weights.items()}
    zeros = jnp.zeros((len(x), hidden), x.dtype)
    given = jnp.swapaxes(x @ w["weight_ih_l0"] + w["bias_ih_l0"], 0, 1)

    def lstm(state: Any, a: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(a + h @ w["weight_hh_l0"] + w["bias_hh_l0"], 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    def gru(state: Any, a: Any) -> Any:
        (h,) = state
        r, z, n = jnp.split(a, 3, -1)
        hr, hz, hn = jnp.split(h @ w["weight_hh_l0"] + w["bias_hh_l0"], 3, -1)
        r, z = jax.nn.sigmoid(r + hr), jax.nn.sigmoid(z + hz)
        return ((1 - z) * jnp.tanh(n + r * hn) + z * h,), None

    if kind == "LSTM":
        (h, _c), _ = lax.scan(lstm, (zeros, zeros), given)
    else:
        (h,), _ = lax.scan(gru, (zeros,), given)
    return net.linear("output", h)


def _bag(net: Net, x: Any, **_: Any) -> Any:
    return net.linear("1", net.weights["0.weight"][x].mean(1))


_MODELS: dict[str, Any] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "resnet": _resnet,
    "transformer": _transformer,
    "recurrent": _recurrent,
    "bag": _bag,
}
