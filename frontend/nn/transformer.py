"""Attention layers and transformers (Vaswani et al., 2017), with PyTorch's names and states.

Takes: sizes. Gives: modules. Must not know: how attention is computed.
Bool masks are true where a position is left out, PyTorch's rule for these modules.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .. import numpy as lnp
from ..apply import fail
from ..tensor import Tensor
from . import functional, init
from .containers import ModuleList
from .layers import Linear
from .module import Module, Parameter
from .norms import LayerNorm
from .stateless import Dropout

Activation = str | Callable[[Any], Any]


class MultiheadAttention(Module):
    """Attention of several heads; inputs are (length, batch, e), with `batch_first` (batch, length,
    e), or (length, e) without a batch.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> attend = lz.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = lnp.ones((3, 5, 8))
    >>> out, weights = attend(x, x, x)
    >>> out.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        kdim: int | None = None, vdim: int | None = None, batch_first: bool = False, *,
        key: Any = None,
    ) -> None:  # fmt: skip
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim {embed_dim} does not divide into {num_heads} heads")
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.batch_first = batch_first
        sizes = (embed_dim, kdim or embed_dim, vdim or embed_dim)
        if sizes[1] == sizes[2] == embed_dim:
            self.in_proj_weight = _xavier((3 * embed_dim, embed_dim), key)
        else:
            names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
            for name, size in zip(names, sizes):
                self.__dict__[name] = _xavier((embed_dim, size), key)
        self.in_proj_bias = Parameter(lnp.zeros(3 * embed_dim)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def _projections(self) -> tuple[Any, Any, Any]:
        held = self.__dict__
        if "in_proj_weight" in held:
            first, second, third = lnp.split(self.in_proj_weight, 3, axis=0)
            return first, second, third
        return held["q_proj_weight"], held["k_proj_weight"], held["v_proj_weight"]

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None,
        need_weights: bool = True, attn_mask: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """The result, and the weights of attention where they are needed.

        `is_causal` only says that `attn_mask` is the causal one, as in PyTorch.
        """
        if is_causal and attn_mask is None:
            fail("MultiheadAttention: is_causal needs the mask itself as attn_mask too")
        x = [lnp.asarray(v) for v in (query, key, value)]
        alone = len(x[0].shape) == 2
        if alone:
            x = [lnp.expand_dims(v, 0) for v in x]
            if key_padding_mask is not None:
                key_padding_mask = lnp.expand_dims(key_padding_mask, 0)
        elif not self.batch_first:
            x = [lnp.swapaxes(v, 0, 1) for v in x]
        bias = self.in_proj_bias
        biases = None if bias is None else tuple(lnp.split(bias, 3))
        out, weights = functional.multi_head_attention(
            x[0], x[1], x[2], self.num_heads, self._projections(), biases,  # type: ignore[arg-type]
            self.out_proj.weight, self.out_proj.bias,
            dropout_p=self.dropout if self.training else 0.0,
            key_padding_mask=key_padding_mask, attn_mask=attn_mask, average=average_attn_weights,
        )  # fmt: skip
        if alone:
            out, weights = lnp.squeeze(out, 0), lnp.squeeze(weights, 0)
        elif not self.batch_first:
            out = lnp.swapaxes(out, 0, 1)
        return out, weights if need_weights else None


def _xavier(shape: tuple[int, int], key: Any) -> Parameter:
    made = Parameter(lnp.zeros(shape))
    init.xavier_uniform_(made, key=key)
    return made


def _activation(given: Activation) -> Callable[[Any], Any]:
    if callable(given):
        return given
    if given not in ("relu", "gelu"):
        raise ValueError(f"activation is 'relu', 'gelu' or a function, not {given!r}")
    return functional.relu if given == "relu" else functional.gelu


class _Block(Module):
    """What encoder and decoder layers share: attention to themselves, and a network of two."""

    _norm_count = 2

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self._attend_elsewhere(d_model, nhead, dropout, bias, batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.activation = _activation(activation)
        for k in range(1, self._norm_count + 1):
            self.__dict__[f"norm{k}"] = LayerNorm(d_model, layer_norm_eps, bias=bias)
            self.__dict__[f"dropout{k}"] = Dropout(dropout)

    def _attend_elsewhere(
        self, d_model: int, nhead: int, dropout: float, bias: bool, batch_first: bool
    ) -> None:
        """The attention to another sequence, where there is one."""

    def _add(self, k: int, x: Any, part: Callable[[Any], Any]) -> Any:
        """x and what part k makes of it, normalised before or after."""
        norm, drop = self.__dict__[f"norm{k}"], self.__dict__[f"dropout{k}"]
        if self.norm_first:
            return x + drop(part(norm(x)))
        return norm(x + drop(part(x)))

    def _network(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Block):
    """Self-attention and a network of two layers, each added to its input and normalised.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> layer = lz.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    >>> layer(lnp.ones((3, 5, 8))).shape
    (3, 5, 8)
    """

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The encoded sequence."""

        def attend(x: Any) -> Any:
            masks = {"attn_mask": src_mask, "is_causal": is_causal}
            return self.self_attn(x, x, x, src_key_padding_mask, False, **masks)[0]

        return self._add(2, self._add(1, lnp.asarray(src), attend), self._network)


class TransformerDecoderLayer(_Block):
    """Self-attention, attention to `memory`, and a network of two layers.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> layer = lz.nn.TransformerDecoderLayer(8, 2, 16, batch_first=True).eval()
    >>> layer(lnp.ones((3, 5, 8)), lnp.ones((3, 4, 8))).shape
    (3, 5, 8)
    """

    _norm_count = 3

    def _attend_elsewhere(
        self, d_model: int, nhead: int, dropout: float, bias: bool, batch_first: bool
    ) -> None:
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first
        )

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
    ) -> Any:  # fmt: skip
        """The decoded sequence."""

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask)[0]

        def look(x: Any) -> Any:
            masks = (memory_key_padding_mask, False, memory_mask)
            return self.multihead_attn(x, memory, memory, *masks)[0]

        x = self._add(1, lnp.asarray(tgt), attend)
        return self._add(3, self._add(2, x, look), self._network)


class TransformerEncoder(Module):
    """Copies of a layer one after the other, and a norm at the end.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> layer = lz.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> lz.nn.TransformerEncoder(layer, 2).eval()(lnp.ones((3, 5, 8))).shape
    (3, 5, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.norm = norm

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None) -> Any:
        """The encoded sequence."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Copies of a layer one after the other, and a norm at the end."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = ModuleList(copy.deepcopy(decoder_layer) for _ in range(num_layers))
        self.norm = norm

    def forward(self, tgt: Any, memory: Any, *masks: Any, **named_masks: Any) -> Any:
        """The decoded sequence; masks as TransformerDecoderLayer takes them."""
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, **named_masks)
        return tgt if self.norm is None else self.norm(tgt)


def causal_mask(size: int) -> Tensor:
    """A mask (size, size), −∞ above the diagonal (PyTorch's generate_square_subsequent_mask).

    >>> print(causal_mask(2))
    [[  0. -inf]
     [  0.   0.]]
    """
    return lnp.where(lnp.tri(size, dtype="bool"), 0.0, float("-inf")).astype("f32")


class Transformer(Module):
    """An encoder of one sequence and a decoder of another, with norms at their ends.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> net = lz.nn.Transformer(8, 2, 1, 1, 16, batch_first=True).eval()
    >>> net(lnp.ones((3, 5, 8)), lnp.ones((3, 4, 8))).shape
    (3, 4, 8)
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6,
        num_decoder_layers: int = 6, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", custom_encoder: Module | None = None,
        custom_decoder: Module | None = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True,
    ) -> None:  # fmt: skip
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps)
        flags = (batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*sizes, *flags), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*sizes, *flags), num_decoder_layers, norm()
        )
        for p in self.parameters():
            if len(p.shape) > 1:
                init.xavier_uniform_(p)

    generate_square_subsequent_mask = staticmethod(causal_mask)

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None,
        memory_mask: Any = None, src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
    ) -> Any:  # fmt: skip
        """The decoded target sequence."""
        memory = self.encoder(src, src_mask, src_key_padding_mask)
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, *masks)
