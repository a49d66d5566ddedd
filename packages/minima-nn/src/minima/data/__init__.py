"""Data: data sets, samplers, loaders, and two sets of real handwritten digits."""

from minima.data.collate import default_collate
from minima.data.dataset import Dataset, ImageDataset, Subset, TensorDataset, random_split
from minima.data.digits import digits
from minima.data.errors import DatasetError
from minima.data.idx import read_idx
from minima.data.loader import DataLoader
from minima.data.mnist import mnist
from minima.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = [
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "DatasetError",
    "ImageDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "default_collate",
    "digits",
    "mnist",
    "random_split",
    "read_idx",
]
