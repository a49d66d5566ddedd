"""Training on the GPU against the cpu's curve, and beside PyTorch."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

import minima as mi
import minima_cuda

pytestmark = pytest.mark.gpu


def test_a_small_network_learns_as_on_the_cpu():
    """Catches a kernel that is nearly right."""
    losses = {}
    for name in ["cpu", "cuda"]:
        x = mi.Tensor(np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4), device=name)
        w = mi.Tensor(np.full((4, 3), 0.1, np.float32), device=name, requires_grad=True)
        for _ in range(5):
            loss = mi.mean((mi.tanh(mi.matmul(x, w)) - 0.5) ** 2)
            loss.backward()
            with mi.no_grad():
                w.sub_(w.grad, alpha=0.5)
            w.grad = None
        losses[name] = loss.item()
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=1e-5)


@pytest.mark.slow
def test_digits_learn_as_on_the_cpu(tmp_path):
    """Catches a step that drifts: curves of loss and accuracy stay together."""
    pytest.importorskip("minima.train", reason="minima-nn is not installed")
    curves = {}
    for name in ["cpu", "cuda"]:
        folder = tmp_path / name
        options = ["--epochs", "4", "--device", name, "--out", str(folder), "--no-plot", "--quiet"]
        subprocess.run([sys.executable, "-m", "minima", "train", "digits", *options], check=True)
        lines = (folder / "metrics.jsonl").read_text("utf8").splitlines()
        curves[name] = [json.loads(line) for line in lines]
    assert len(curves["cpu"]) == len(curves["cuda"]) == 4
    for cpu, cuda in zip(curves["cpu"], curves["cuda"]):
        assert cuda["train_loss"] == pytest.approx(cpu["train_loss"], rel=0.1, abs=0.02)
        assert cuda["test_accuracy"] == pytest.approx(cpu["test_accuracy"], abs=0.02)


def seconds(step, wait, runs=30):
    """Return the median seconds of *step*, each run waited for."""
    for _ in range(5):
        step()
    wait()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        step()
        wait()
        found.append(time.perf_counter() - start)
    return sorted(found)[runs // 2]


@pytest.mark.slow
def test_times_beside_pytorch(capsys):
    """Print times of operators beside PyTorch's on the same GPU; nothing is held to a bound."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    functional = torch.nn.functional
    x = np.random.default_rng(0).standard_normal((4096, 1024)).astype(np.float32)
    ours, theirs = mi.Tensor(x, device="cuda"), torch.from_numpy(x).cuda()
    rows = {
        "exp": (mi.exp, torch.exp),
        "add": (lambda t: t + t, lambda t: t + t),
        "sum": (lambda t: mi.sum(t, axis=1), lambda t: t.sum(1)),
        "softmax": (lambda t: mi.softmax(t, axis=-1), lambda t: functional.softmax(t, -1)),
        "layer_norm": (lambda t: mi.layer_norm(t), lambda t: functional.layer_norm(t, (1024,))),
        "gelu": (mi.gelu, functional.gelu),
        "matmul": (lambda t: t @ t.T, lambda t: t @ t.T),
    }
    with capsys.disabled():
        print(f"\nseconds on {torch.cuda.get_device_name()}: minima's, and PyTorch's")
        for name, (own, other) in rows.items():
            mine = seconds(lambda own=own: own(ours), minima_cuda.synchronize)
            peer = seconds(lambda other=other: other(theirs), torch.cuda.synchronize)
            print(f"{name:12} {mine:10.2e} {peer:10.2e}")
