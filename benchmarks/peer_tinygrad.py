"""tinygrad: the workloads on its Tensor, a whole step in one TinyJit."""

from __future__ import annotations

from typing import Any

import numpy as np
from tinygrad import Context, Device, Tensor, TinyJit, nn

from minima.train.bench.workloads import LEARNING_RATE, Workload

__all__ = ["jit"]


def jit(workload: Workload, training: bool) -> Tinygrad:
    """Run a whole step, or the model, through TinyJit."""
    return Tinygrad(workload, training)


class Tinygrad:
    """A workload as a function of weights."""

    def __init__(self, workload: Workload, training: bool) -> None:
        weights = {k: Tensor(w) for k, w in workload.weights().items()}
        net = Net({k: w.realize() for k, w in weights.items()})
        model, sizes = _MODELS[workload.family], workload.sizes
        optimizer = nn.optim.Adam(list(weights.values()), lr=LEARNING_RATE)

        @TinyJit
        def step(x: Tensor, y: Tensor) -> Tensor:
            with Context(TRAINING=1):
                optimizer.zero_grad()
                loss = model(net, x, **sizes).sparse_categorical_crossentropy(y)
                loss.backward()
                return loss.realize(*optimizer.schedule_step(), *net.statistics())

        @TinyJit
        def predict(x: Tensor) -> Tensor:
            with Context(TRAINING=0):
                return model(net, x, **sizes).realize()

        self.step, self.predict = step, predict

    def batch(self, x: Any, y: Any) -> Any:
        """Return both as tensors."""
        if x.dtype.kind == "i":
            x = x.astype(np.int32)
        return Tensor(x).realize(), Tensor(y.astype(np.int32)).realize()

    def train(self, batch: Any) -> Any:
        """Make one step; return the loss."""
        loss = self.step(*batch)
        Device[Device.DEFAULT].synchronize()
        return loss

    def infer(self, batch: Any) -> Any:
        """Return the logits."""
        logits = self.predict(batch[0])
        Device[Device.DEFAULT].synchronize()
        return logits

    def value(self, result: Any) -> Any:
        """Return a tensor as a NumPy array."""
        return result.numpy()


class Net:
    """Layers by name, on weights; the statistics of batch norms are made when first met."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights
        self.norms: dict[str, Any] = {}

    def statistics(self) -> list[Tensor]:
        """Return the running statistics, which a step changes."""
        return [t for n in self.norms.values() for t in (n.running_mean, n.running_var)]

    def linear(self, name: str, x: Tensor) -> Tensor:
        return x.linear(self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"])

    def conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        bias = self.weights.get(f"{name}.bias")
        return x.conv2d(weight, bias, padding=weight.shape[-1] // 2, stride=stride)

    def batch_norm(self, name: str, x: Tensor) -> Tensor:
        norm = self.norms.get(name)
        if norm is None:
            norm = self.norms[name] = nn.BatchNorm(x.shape[1])
            norm.weight, norm.bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return norm(x)

    def layer_norm(self, name: str, x: Tensor) -> Tensor:
        return x.layernorm() * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def _mlp(net: Net, x: Tensor, widths: tuple[int, ...]) -> Tensor:
    for i in range(len(widths) - 2):
        x = net.linear(str(2 * i), x).relu()
    return net.linear(str(2 * (len(widths) - 2)), x)


def _cnn(net: Net, x: Tensor, widths: tuple[int, ...], **_: Any) -> Tensor:
    last = len(widths) - 2
    for i in range(last + 1):
        x = net.batch_norm(str(4 * i + 1), net.conv(str(4 * i), x)).relu()
        if i < last:
            x = x.max_pool2d((2, 2))
    return net.linear(str(4 * last + 5), x.mean((2, 3)))


def _resnet(net: Net, x: Tensor, widths: tuple[int, ...], blocks: int, **_: Any) -> Tensor:
    x = net.batch_norm("bn1", net.conv("conv1", x)).relu()
    for i in range(len(widths) * blocks):
        name = f"blocks.{i}"
        down = i and i % blocks == 0
        y = net.batch_norm(f"{name}.bn1", net.conv(f"{name}.conv1", x, 2 if down else 1)).relu()
        y = net.batch_norm(f"{name}.bn2", net.conv(f"{name}.conv2", y))
        if down:
            x = net.batch_norm(f"{name}.downsample.1", net.conv(f"{name}.downsample.0", x, 2))
        x = (x + y).relu()
    return net.linear("fc", x.mean((2, 3)))


def _transformer(
    net: Net, x: Tensor, d: int, layers: int, heads: int, tokens: int, vocabulary: int
) -> Tensor:
    x = net.weights["embedding.weight"][x] + net.weights["position.weight"]
    for i in range(layers):
        name = f"blocks.{i}"
        attention = f"{name}.self_attn"
        h = net.layer_norm(f"{name}.norm1", x).linear(
            net.weights[f"{attention}.in_proj_weight"].T, net.weights[f"{attention}.in_proj_bias"]
        )
        q, k, v = (
            a.reshape(*a.shape[:2], heads, d // heads).transpose(1, 2) for a in h.chunk(3, -1)
        )
        h = q.scaled_dot_product_attention(k, v, is_causal=True)
        x = x + net.linear(f"{attention}.out_proj", h.transpose(1, 2).reshape(*x.shape))
        h = net.linear(f"{name}.linear1", net.layer_norm(f"{name}.norm2", x))
        h = h * 0.5 * (1 + (h / 2**0.5).erf())
        x = x + net.linear(f"{name}.linear2", h)
    return net.linear("output", net.layer_norm("norm", x)).reshape(-1, vocabulary)


def _recurrent(net: Net, x: Tensor, kind: str, hidden: int, steps: int, **_: Any) -> Tensor:
    w = {k.removeprefix("recurrent."): v for k, v in net.weights.items()}
    given = x.linear(w["weight_ih_l0"].T, w["bias_ih_l0"])
    h = c = Tensor.zeros(x.shape[0], hidden)
    for t in range(steps):
        a = given[:, t]
        b = h.linear(w["weight_hh_l0"].T, w["bias_hh_l0"])
        if kind == "LSTM":
            i, f, g, o = (a + b).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        else:
            (r, z, n), (hr, hz, hn) = a.chunk(3, -1), b.chunk(3, -1)
            r, z = (r + hr).sigmoid(), (z + hz).sigmoid()
            h = (1 - z) * (n + r * hn).tanh() + z * h
    return net.linear("output", h)


def _bag(net: Net, x: Tensor, **_: Any) -> Tensor:
    return net.linear("1", net.weights["0.weight"][x].mean(1))


_MODELS: dict[str, Any] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "resnet": _resnet,
    "transformer": _transformer,
    "recurrent": _recurrent,
    "bag": _bag,
}
