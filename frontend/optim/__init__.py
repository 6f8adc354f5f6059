"""Optimisers, in two forms: PyTorch's classes that update parameters, and pure functions on trees.

`SGD`, `Adam`, … take parameters and have `.step()`, with learning-rate schedules in
`lr_scheduler`. `sgd`, `adam`, … give a pair `init` and `update` without hidden state, for use
inside a compiled function.
"""

from __future__ import annotations

from ..public import listing
from . import lr_scheduler, swa_utils
from .classes import (
    ASGD,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
)
from .lbfgs import LBFGS
from .rules import (
    Optimizer,
    Rule,
    adagrad,
    adam,
    adamw,
    by_rule,
    clip_by_global_norm,
    clip_by_value,
    lion,
    rmsprop,
    sgd,
)

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "Rule",
    "adagrad",
    "adam",
    "adamw",
    "by_rule",
    "clip_by_global_norm",
    "clip_by_value",
    "lion",
    "lr_scheduler",
    "rmsprop",
    "sgd",
    "swa_utils",
]  # fmt: skip
__dir__ = listing(__name__)
