"""Optimisers, in two forms: PyTorch's classes that update parameters, and pure functions on trees.

`SGD`, `Adam`, … take parameters and have `.step()`, with learning-rate schedules in
`lr_scheduler`. `sgd`, `adam`, … give a pair `init` and `update` without hidden state, for use
inside a compiled function.
"""

from __future__ import annotations

from ..public import listing
from . import lr_scheduler
from .classes import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, NAdam, RAdam, RMSprop
from .rules import (
    Optimizer,
    Rule,
    adagrad,
    adam,
    adamw,
    by_rule,
    clip_by_global_norm,
    lion,
    rmsprop,
    sgd,
)

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "NAdam", "Optimizer", "RAdam",
    "RMSprop", "Rule", "adagrad", "adam", "adamw", "by_rule", "clip_by_global_norm", "lion",
    "lr_scheduler", "rmsprop", "sgd",
]  # fmt: skip
__dir__ = listing(__name__)
