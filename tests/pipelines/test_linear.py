"""Every product that some machine uses: the right numbers, and the same bits of a row in any company."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it

from pipelines.linear import MIN_ROWS, Linear, _Mkl, _OneDnn, _Rounded, linear, multiplies_bfloat16

INNER, OUTER, N_ROWS = 384, 1152, 1100
LAYERS = {"torch": Linear, "MKL": _Mkl, "oneDNN": _OneDnn}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)  # as `Embedder` has it


def drawn(*size: int) -> torch.Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(len(size) + sum(size)))


@pytest.mark.parametrize("name", LAYERS)
@torch.inference_mode()
def test_a_layer_gives_the_numbers_of_the_formula(name: str) -> None:
    weight, bias, x, total = drawn(OUTER, INNER) / 20, drawn(OUTER), drawn(40, INNER), drawn(40, OUTER)
    layer = LAYERS[name](weight, bias)
    expected = (x.double() @ weight.double().T + bias.double()).float()
    torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(layer.gelu(x), F.gelu(expected), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(layer.add(x, total.clone()), expected + total, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["MKL", "oneDNN", "bfloat16"])
@pytest.mark.parametrize(("inner", "outer"), [(384, 1152), (1536, 384)])
@torch.inference_mode()
def test_a_row_has_the_same_bits_in_any_company(name: str, inner: int, outer: int) -> None:
    dtype = torch.bfloat16 if name == "bfloat16" else torch.float32
    layer = LAYERS.get(name, linear)(drawn(outer, inner).to(dtype), drawn(outer).to(dtype))
    x, total = drawn(N_ROWS, inner).to(dtype), drawn(N_ROWS, outer)
    whole, activated, added = layer(x), layer.gelu(x), layer.add(x, total.clone())
    for n in [*range(MIN_ROWS, 70), 100, 127, 255, 257, 511, 700, 1023, 1025]:
        start = (7 * n) % (N_ROWS - n)
        rows = slice(start, start + n)
        part = x[rows].contiguous()
        assert torch.equal(layer(part), whole[rows]), n
        assert torch.equal(layer.gelu(part), activated[rows]), n
        assert torch.equal(layer.add(part, total[rows].clone()), added[rows]), n


@torch.inference_mode()
def test_bfloat16_is_rounded_alike_with_and_without_instructions_for_it() -> None:
    weight, bias, x = (drawn(*size).bfloat16() for size in ((OUTER, INNER), (OUTER,), (40, INNER)))
    rounded, total = _Rounded(weight, bias), drawn(40, OUTER)
    assert rounded(x).dtype is torch.bfloat16
    torch.testing.assert_close(rounded(x), F.linear(x, weight, bias), rtol=0.01, atol=0.1)
    assert rounded.add(x, total).dtype is torch.float32
    assert isinstance(linear(weight, bias), _OneDnn if multiplies_bfloat16() else _Rounded)
