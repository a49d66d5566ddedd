"""Data sets that the processes of test_workers.py import."""

import os
import random
import signal
import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

import minima as mi
from minima.data import Dataset, IterableDataset, get_worker_info


class Rows(Dataset):
    """`size` arrays filled with their index."""

    def __init__(self, size=12, shape=(3,)):
        self.size, self.shape = size, shape

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return np.full(self.shape, index, np.float32), index


class Growing(Rows):
    """Batches that need more shared memory each time."""

    def __getitem__(self, index):
        return np.full((index + 1) * 4000, index, np.float64)


class Drawn(Rows):
    """What the three default sources of random numbers give in a worker."""

    def __getitem__(self, index):
        drawn = [mi.random.default_generator().uniform((1,)).item(), random.random()]
        return np.array([*drawn, np.random.rand()]), get_worker_info().id


class Products(Rows):
    """Matrix products, large enough for BLAS to want threads."""

    def __getitem__(self, index):
        x = mi.Tensor(np.full((400, 400), index, np.float32))
        return mi.relu(x @ x)[0, 0]


class Process(Rows):
    """The number of the process that makes a sample."""

    def __getitem__(self, index):
        return os.getpid()


class Odd(Exception):
    """An error whose class takes no message alone."""

    def __init__(self, message, number):
        super().__init__(f"{message}: {number}")


class Failing(Rows):
    """Fails at sample 5, in one of several ways."""

    def __init__(self, way, where=5):
        super().__init__()
        self.way, self.where = way, where

    def __getitem__(self, index):
        if index == self.where:
            getattr(self, self.way)()
        return index

    def value(self):
        raise ValueError("this row is broken")

    def key(self):
        return {}["missing"]

    def odd(self):
        raise Odd("odd", 3)

    def several(self):
        raise ExceptionGroup("two at once", [ValueError("one"), KeyError("other")])

    def local(self):
        class Local(Exception):
            pass

        raise Local("nobody can import me")

    def exit(self):
        os._exit(7)

    def leave(self):
        raise SystemExit(3)

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def nest(self):
        next(iter(mi.data.DataLoader(Rows(), num_workers=1)))

    def fill(self):
        mi.data.transport.FOLDER = "/"
        mi.data.transport.shutil.disk_usage = lambda folder: SimpleNamespace(free=100)
        self.__class__ = Growing

    def hang(self):
        time.sleep(600)


class Unreadable(Rows):
    """Can be sent, but not made again in the worker."""

    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise ImportError("not here")


class Shards(IterableDataset):
    """0, ..., size - 1, shared between the workers."""

    def __init__(self, size, uneven=False):
        self.size, self.uneven = size, uneven

    def __iter__(self):
        worker = get_worker_info()
        if worker is None:
            return iter(range(self.size))
        if self.uneven:
            return iter(range(self.size) if worker.id == 0 else ())
        return iter(range(worker.id, self.size, worker.num_workers))

    def __len__(self):
        return self.size


class Unbegun(IterableDataset):
    def __iter__(self):
        raise RuntimeError("no beginning")


@dataclass
class Point:
    x: mi.Tensor
    name: str


class Points(Rows):
    def __getitem__(self, index):
        return Point(mi.Tensor([float(index)] * 2000), f"p{index}")


def total(samples):
    """Collate by adding."""
    return sum(int(index) for _, index in samples)


def name_worker(number):
    """Note in the environment that a worker was started."""
    os.environ["MINIMA_TEST_WORKER"] = str(number)


class Environment(Rows):
    def __getitem__(self, index):
        return os.environ["MINIMA_TEST_WORKER"]


def transposed(samples):
    """Give a batch whose memory is not in one order."""
    batch = np.stack([x for x, _ in samples])
    return {"t": mi.permute_dims(mi.Tensor(batch), (2, 0, 1))}
