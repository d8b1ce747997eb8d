"""Damaged files of PyTorch's weights: named and refused, or read; the model has all or nothing."""

import numpy as np
import pytest
from safetensors.numpy import save

from damaged_files import check_damaged
from statewise import Sequential, layers, load
from statewise.interop import load_torch_weights

SHAPES = {
    "rnn.weight_ih_l0": (12, 2),
    "rnn.weight_hh_l0": (12, 4),
    "rnn.bias_ih_l0": (12,),
    "rnn.bias_hh_l0": (12,),
    "fc.weight": (1, 4),
    "fc.bias": (1,),
}


def whole(ending: str, rng, folder) -> bytes:
    """Return a file of weights."""
    arrays = {name: rng.normal(size=s).astype("float32") for name, s in SHAPES.items()}
    if ending == ".safetensors":
        return save(arrays)
    torch = pytest.importorskip("torch", reason="needs torch")
    path = folder / f"whole{ending}"
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)
    return path.read_bytes()


def check(ending: str, rng, folder, count: int) -> None:
    model = Sequential([layers.Input((None, 2)), layers.GRU(4), layers.Dense(1)])

    def tell(path) -> str:
        before = model.get_weights()
        try:
            load_torch_weights(model, path)
        except ValueError as error:
            for now, then in zip(model.get_weights(), before, strict=True):
                np.testing.assert_array_equal(now, then)
            if "\n" in str(error):  # it's to be one line
                raise
            return str(error)
        return ""

    check_damaged(folder / f"weights{ending}", whole(ending, rng, folder), rng, count, tell)


@pytest.mark.parametrize("ending", [".safetensors"])
def test_some_damaged_weights_are_named(ending, rng, tmp_path):
    check(ending, rng, tmp_path, 20)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".safetensors", ".pt"])
def test_two_hundred_damaged_weights_are_named(ending, rng, tmp_path):
    check(ending, rng, tmp_path, 200)


def test_damaged_onnx_files_are_named(rng, tmp_path):
    pytest.importorskip("onnx", reason="needs onnx")
    model = Sequential([layers.Input((None, 2)), layers.GRU(4), layers.Dense(1)])
    model.export(tmp_path / "whole.onnx")

    def tell(path) -> str:
        with pytest.raises(ValueError, match=r"damaged\.onnx isn't a model") as caught:
            load(path)
        return str(caught.value)

    content = (tmp_path / "whole.onnx").read_bytes()
    check_damaged(tmp_path / "damaged.onnx", content, rng, 200, tell)
