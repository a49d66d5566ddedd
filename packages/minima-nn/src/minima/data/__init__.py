"""Data: data sets, samplers, loaders with worker processes, readers of files, real digits."""

from minima.data import augment
from minima.data.cifar import CIFAR10, CIFAR100, read_cifar
from minima.data.collate import default_collate, default_convert
from minima.data.combined import ChainDataset, ConcatDataset, IterableDataset, StackDataset
from minima.data.dataset import Dataset, ImageDataset, Subset, TensorDataset, random_split
from minima.data.digits import digits
from minima.data.distributed import DistributedSampler
from minima.data.drawing import StratifiedSampler, SubsetRandomSampler, WeightedRandomSampler
from minima.data.errors import DatasetError, WorkerError
from minima.data.folder import ImageFolder
from minima.data.idx import read_idx
from minima.data.loader import DataLoader
from minima.data.mnist import mnist
from minima.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from minima.data.table import Table, read_csv
from minima.data.text import CharVocabulary, TextDataset, read_text
from minima.data.worker import WorkerInfo, get_worker_info

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "BatchSampler",
    "ChainDataset",
    "CharVocabulary",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DatasetError",
    "DistributedSampler",
    "ImageDataset",
    "ImageFolder",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "StratifiedSampler",
    "Subset",
    "SubsetRandomSampler",
    "Table",
    "TensorDataset",
    "TextDataset",
    "WeightedRandomSampler",
    "WorkerError",
    "WorkerInfo",
    "augment",
    "default_collate",
    "default_convert",
    "digits",
    "get_worker_info",
    "mnist",
    "random_split",
    "read_cifar",
    "read_csv",
    "read_idx",
    "read_text",
]
