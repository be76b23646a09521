"""Linear layers, with the fastest product that a machine has and that gives a row the same bits in any company.

Where AVX2 is all that a CPU has, MKL's product is a tenth faster than oneDNN's, and torch's own GELU takes a third of
the time of the one that oneDNN builds in. With AVX-512 it is the other way round, on AMD's CPUs by far. OpenBLAS, which
numpy has, is a little faster still on AVX2, but gives a row other bits at another place in the matrix.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it

if TYPE_CHECKING:
    from torch import Tensor

_mkldnn = torch.ops.mkldnn  # what torch's own compiler calls; there is no public name

MIN_ROWS = 16
"""Fewer, and MKL takes other kernels (below 4 to 12 rows, by its version)."""


class Linear:
    """`x @ weight.T + bias`, by torch's own product: what there is on a GPU.

    Args:
        weight: `[outer, inner]`.
        bias: `[outer]`.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._weight = weight
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        """Apply it: `[rows, inner]` to `[rows, outer]`."""
        return F.linear(x, self._weight, self._bias)

    def gelu(self, x: Tensor) -> Tensor:
        """Apply it, then GELU, the one with the error function as BERT has it."""
        y: Tensor = torch.ops.aten.gelu_(self(x))
        return y

    def add(self, x: Tensor, total: Tensor) -> Tensor:
        """Apply it, and add `total`, float32, which may be overwritten.

        The sum is in float32 whatever the product is in: rounded, it would cost more neighbours than all products.
        """
        y = self(x)
        return y.add_(total) if y.dtype is total.dtype else total + y


class _Mkl(Linear):
    """By MKL."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__(weight.t().contiguous(), bias)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.addmm(self._bias, x, self._weight)

    def add(self, x: Tensor, total: Tensor) -> Tensor:
        return total.add_(self._bias).addmm_(x, self._weight)


class _OneDnn(Linear):
    """By oneDNN, the weight packed once."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__(_mkldnn._reorder_linear_weight(weight), bias)  # noqa: SLF001  # see _mkldnn

    def __call__(self, x: Tensor) -> Tensor:
        y: Tensor = _mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")  # noqa: SLF001
        return y

    def gelu(self, x: Tensor) -> Tensor:
        y: Tensor = _mkldnn._linear_pointwise(x, self._weight, self._bias, "gelu", [], "none")  # noqa: SLF001
        return y


class _Rounded(Linear):
    """bfloat16 where a CPU has no instructions for it: the same rounded numbers, multiplied as float32."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__(weight, bias)
        self._exact = linear(weight.float(), bias.float())

    def __call__(self, x: Tensor) -> Tensor:
        return self._exact(x.float()).bfloat16()


def linear(weight: Tensor, bias: Tensor) -> Linear:
    """Build the layer for this machine, and the precision of its weight."""
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return Linear(weight, bias)
    if weight.dtype is torch.bfloat16 and not multiplies_bfloat16():
        return _Rounded(weight, bias)
    has_mkl = torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    has_only_avx2 = torch.backends.cpu.get_cpu_capability() == "AVX2" and has_mkl
    return (_Mkl if has_only_avx2 else _OneDnn)(weight, bias)


@cache
def multiplies_bfloat16() -> bool:
    """Say whether this CPU has instructions for it."""
    cpu = torch.cpu.get_capabilities()
    return any(cpu.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
