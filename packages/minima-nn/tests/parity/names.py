"""The names that people who come from PyTorch expect, by kind; each has to be there, with a row.

`ROWLESS` are those that no row compares, with what holds them instead.
"""

from __future__ import annotations


def _dims(name, dims="1d 2d 3d"):
    return [name + d for d in dims.split()]


LAYERS = [
    *"Linear Bilinear LazyLinear Embedding EmbeddingBag Unfold Fold Upsample PixelShuffle".split(),
    *"PixelUnshuffle LayerNorm LayerNorm1d GroupNorm RMSNorm LocalResponseNorm".split(),
    *_dims("Conv"), *_dims("ConvTranspose"), *_dims("MaxPool"), *_dims("AvgPool"),
    *_dims("AdaptiveAvgPool"), *_dims("AdaptiveMaxPool"), *_dims("LPPool"), *_dims("BatchNorm"),
    *_dims("InstanceNorm"), "Dropout", *_dims("Dropout"), "AlphaDropout", *_dims("ConstantPad"),
    *_dims("ZeroPad"), *_dims("ReflectionPad"), *_dims("ReplicationPad"), *_dims("CircularPad"),
    *"RNN LSTM GRU RNNCell LSTMCell GRUCell".split(),
    *"MultiheadAttention TransformerEncoder TransformerDecoder TransformerEncoderLayer".split(),
    *"TransformerDecoderLayer Transformer RotaryEmbedding SinusoidalPositionalEncoding".split(),
    *"KVCache Sequential ModuleList ModuleDict ParameterList ParameterDict Flatten".split(),
    *"Unflatten Identity Residual".split(),
]  # fmt: skip
ACTIVATIONS = """
ReLU ReLU6 LeakyReLU PReLU RReLU ELU SELU CELU GELU SiLU Mish Softplus Softsign Softshrink
Hardshrink Tanhshrink Hardtanh Hardsigmoid Hardswish GLU SwiGLU Threshold LogSigmoid Softmax
Softmin LogSoftmax Softmax2d Sigmoid Tanh
""".split()
LOSSES = """
CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss MSELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss
PoissonNLLLoss GaussianNLLLoss CosineEmbeddingLoss MarginRankingLoss TripletMarginLoss
HingeEmbeddingLoss MultiMarginLoss MultiLabelMarginLoss SoftMarginLoss CTCLoss FocalLoss
""".split()
UTILS = """
clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters weight_norm
spectral_norm parametrize rnn
""".split()
PACKING = """
PackedSequence pack_padded_sequence pad_packed_sequence pad_sequence pack_sequence
""".split()
OPTIMISERS = """
SGD Adam AdamW NAdam RAdam Adamax Adagrad Adadelta RMSprop Rprop ASGD LBFGS Lion LAMB Muon Adafactor
""".split()
SCHEDULES = """
StepLR MultiStepLR ExponentialLR LinearLR ConstantLR PolynomialLR CosineAnnealingLR
CosineAnnealingWarmRestarts OneCycleLR CyclicLR ReduceLROnPlateau LambdaLR SequentialLR
ChainedScheduler WarmupLR MultiplicativeLR
""".split()
INITIALISERS = """
uniform normal trunc_normal constant ones zeros eye dirac xavier_uniform xavier_normal
kaiming_uniform kaiming_normal orthogonal sparse
""".split()
DATA = """
TensorDataset Subset ConcatDataset IterableDataset DataLoader WeightedRandomSampler
StratifiedSampler
""".split()
METRICS = """
Accuracy TopKAccuracy Precision Recall F1Score ConfusionMatrix AUROC Perplexity R2Score
""".split()
TOP = "autocast GradScaler".split()

#: place, as an attribute path of `minima` -> names
PLACES = {
    "nn": [*LAYERS, *ACTIVATIONS, *LOSSES, "summary"],
    "nn.utils": UTILS,
    "nn.utils.rnn": PACKING,
    "optim": [*OPTIMISERS, "AveragedModel", "EMA", "SWALR"],
    "optim.lr_scheduler": SCHEDULES,
    "init": [*INITIALISERS, *(f"{n}_" for n in INITIALISERS), "calculate_gain"],
    "data": DATA,
    "metrics": METRICS,
    "": TOP,
}

#: names of layers, losses, optimisers, schedules and initialisers without a row -> why
ROWLESS = {
    "LayerNorm1d": "the notebook's: tests/oracle/test_layers.py compares it with LayerNorm",
    "Residual": "the notebook's, which PyTorch does not have",
    "SwiGLU": "PyTorch has none: tests/nn/test_activations.py",
    "RotaryEmbedding": "PyTorch has none: tests/nn/test_positions.py",
    "SinusoidalPositionalEncoding": "PyTorch has none: tests/nn/test_positions.py",
    "KVCache": "PyTorch has none: tests/nn/test_cache.py",
    "FocalLoss": "PyTorch has none: tests/nn/test_losses.py",
    "Lion": "PyTorch has none: tests/optim/test_shaped.py",
    "LAMB": "PyTorch has none: tests/optim/test_shaped.py",
    "Muon": "PyTorch's computes in bfloat16: tests/optim/test_shaped.py",
    "WarmupLR": "PyTorch has none: tests/optim/test_schedules.py",
}
