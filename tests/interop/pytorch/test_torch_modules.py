"""PyTorch's modules taken over, and models taken there: the outputs of both, on random inputs."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from statewise import Model, Sequential, layers
from statewise.interop.pytorch import from_torch, load_torch_weights, to_torch

pytestmark = pytest.mark.slow  # loading PyTorch takes seconds
torch = pytest.importorskip("torch", reason="needs PyTorch")
nn = torch.nn
functional = torch.nn.functional


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def given(shape, seed=3):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def run(module, *arrays):
    with torch.no_grad():
        result = module.eval()(*[torch.from_numpy(a) for a in arrays])
    if isinstance(result, torch.Tensor):
        return result.numpy()
    return [part.numpy() if isinstance(part, torch.Tensor) else part for part in result]


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, atol=3e-6)


OPTIONS = list(itertools.product(("LSTM", "GRU", "RNN"), (1, 2), *[(False, True)] * 3))


@pytest.mark.parametrize(("kind", "number", "both", "batch_first", "bias"), OPTIONS)
def test_a_recurrent_module(kind, number, both, batch_first, bias):
    options = {"num_layers": number, "bidirectional": both, "bias": bias}
    module = getattr(nn, kind)(3, 4, batch_first=batch_first, **options)
    model, x = from_torch(module), given((2, 9, 3))
    theirs = run(module, x if batch_first else np.ascontiguousarray(x.swapaxes(0, 1)))[0]
    close(model.predict(x, verbose=0), theirs if batch_first else theirs.swapaxes(0, 1))
    close(run(to_torch(model), x), model.predict(x, verbose=0))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("both", [False, True])
def test_a_projected_lstm(both):
    module = nn.LSTM(3, 5, 2, proj_size=2, bidirectional=both, batch_first=True, dropout=0.3)
    model, x = from_torch(module), given((2, 6, 3))
    close(model.predict(x, verbose=0), run(module, x)[0])
    close(run(to_torch(model), x), model.predict(x, verbose=0))
    assert [type(layer).__name__ for layer in model.layers].count("Dropout") == 1


class Tutorial(nn.Module):
    """The regression of many tutorials: zeros to begin with, the last step out."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 8, 2, batch_first=True)
        self.fc = nn.Linear(8, 1)

    def forward(self, x):
        h0 = torch.zeros(2, x.size(0), 8).to(x.device)
        c0 = torch.zeros(2, x.shape[0], 8)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


class Reviews(nn.Module):
    """A classifier of texts from the last states of both directions."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20, 6, padding_idx=0)
        self.lstm = nn.LSTM(6, 8, bidirectional=True, batch_first=True)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        _, (h, _) = self.lstm(self.drop(self.words(x)))
        return functional.log_softmax(self.fc(torch.cat((h[-2], h[-1]), dim=1)), dim=1)


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x, hidden=None):
        out, h = self.gru(x, hidden)
        return self.fc(torch.relu(out[-1])), h.squeeze(0)


class Permuted(TimeFirst):
    def forward(self, x):
        out, _ = self.gru(x.permute(1, 0, 2))
        return self.fc(out).transpose(0, 1)


class Twice(nn.Module):
    """One module called twice: the layer is shared."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 4, batch_first=True)

    def forward(self, x):
        return self.gru(self.gru(x)[0])[0].mean(dim=1)


def test_the_module_of_a_tutorial():
    module, x = Tutorial(), given((4, 7, 3))
    model = from_torch(module)
    close(model.predict(x, verbose=0), run(module, x))
    assert [layer.name for layer in model.layers] == ["x", "lstm_0", "lstm_1", "fc"]
    assert not model.get_layer("lstm_1").return_sequences  # the picture is many-to-one


def test_a_classifier_of_texts():
    module, tokens = Reviews(), np.arange(12, dtype="int32").reshape(2, 6)
    close(from_torch(module).predict(tokens, verbose=0), run(module, tokens))


def test_time_as_the_first_axis():
    x = given((4, 7, 3))
    for ours, theirs in zip(
        from_torch(TimeFirst()).predict(x, verbose=0),
        run_same_seed(TimeFirst, x.swapaxes(0, 1)),
        strict=True,
    ):
        close(ours, theirs)
    close(from_torch(Permuted()).predict(x, verbose=0), run_same_seed(Permuted, x))


def run_same_seed(kind, x):
    """Run a module with the weights that the first one of this test began with."""
    torch.manual_seed(0)
    if kind is Permuted:
        TimeFirst()
    return run(kind(), np.ascontiguousarray(x))


def test_a_module_called_twice_is_one_layer():
    module, x = Twice(), given((2, 5, 4))
    model = from_torch(module)
    close(model.predict(x, verbose=0), run(module, x))
    assert len(model.trainable_variables) == 3


def test_a_chain():
    chain = nn.Sequential(
        nn.Linear(3, 4),
        nn.Tanh(),
        nn.LayerNorm(4),
        nn.Dropout(0.1),
        nn.Linear(4, 2),
        nn.Softmax(-1),
    )
    x = given((5, 3))
    close(from_torch(chain).predict(x, verbose=0), run(chain, x))


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.GRU(64, 64, batch_first=True),
        lambda: nn.Sequential(nn.Linear(1, 64), nn.LayerNorm(64)),
    ],
    ids=["recurrent", "chain"],
)
def test_a_module_that_is_trained_on_leaves_the_model_alone(make):
    module = make()
    model = from_torch(module)
    before = [np.array(w) for w in model.get_weights()]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1.0)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_mode_stays():
    module = Tutorial().train()
    from_torch(module)
    assert module.training


class Branches(Tutorial):
    def forward(self, x):
        return x if x.sum() > 0 else self.lstm(x)[0]


class Flattened(Tutorial):
    def forward(self, x):
        return self.lstm(x)[0].view(-1, 8)


class Fourier(Tutorial):
    def forward(self, x):
        return torch.fft.fft(self.lstm(x)[0])


class Normalised(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.bn = nn.GRU(4, 5, batch_first=True), nn.BatchNorm1d(4)

    def forward(self, x):
        return self.gru(self.bn(x))[0]


class Begins(TimeFirst):
    def forward(self, x, hidden):
        return self.gru(x, hidden)[0]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (Branches, ValueError, "depends on values"),
        (Flattened, ValueError, "view in forward can't be taken over"),
        (Fourier, ValueError, "fft_fft in forward can't be taken over"),
        (Normalised, ValueError, r"module 'bn' \(BatchNorm1d\) can't be taken over"),
        (Begins, ValueError, "begins at a state that is computed or given"),
        (lambda: nn.GRU(3, 4).double(), ValueError, "has weights of float64"),
        (lambda: nn.GRU(3, 4).bfloat16(), ValueError, "has weights of bfloat16"),
        (lambda: nn.LSTM(3, 4).state_dict(), TypeError, "load_torch_weights"),
    ],
)
def test_what_cannot_be_taken_over(make, error, message):
    with pytest.raises(error, match=message):
        from_torch(make())


def random_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype(w.dtype) / 2 for w in model.get_weights()])
    return model


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_an_encoder_and_decoder_with_states():
    x, y = layers.Input((None, 2)), layers.Input((None, 3))
    _, *ends = layers.Bidirectional(layers.LSTM(3, return_state=True))(x)
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True, return_state=True))
    decoded, *others = both(y, initial_state=ends)
    projected, h, c = layers.ProjectedLSTM(5, 2, return_state=True)(decoded)
    heads = [
        layers.TimeDistributed(layers.Dense(2))(decoded),
        layers.LayerNormalization()(projected),
    ]
    model = random_weights(Model([x, y], [*heads, h, c, *others]))
    arrays = [given((3, 5, 2)), given((3, 4, 3))]
    for ours, theirs in zip(run(to_torch(model), *arrays), model.predict(arrays), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("sequences", [False, True])
def test_ways_to_merge(mode, sequences):
    gru = layers.GRU(3, return_sequences=sequences)
    model = Sequential([layers.Input((None, 2)), layers.Bidirectional(gru, merge_mode=mode)])
    x = given((2, 6, 2))
    close(run(to_torch(random_weights(model)), x), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.LSTM(3, stateful=True), "it is stateful"),
        (layers.GRU(3, reset_after=False), "reset_after=True"),
        (layers.LSTM(3, activation="relu"), "no activations like its relu and sigmoid"),
        (layers.LayerNormLSTM(3), "no module for LayerNormLSTMCell"),
        (layers.Conv1D(3, 2), "knows no PyTorch module"),
        (layers.LayerNormalization(axis=1), "normalises the last axis"),
        (layers.Dropout(0.2, noise_shape=(None, 1, 2)), "drops each value by itself"),
    ],
)
def test_layers_without_a_counterpart(layer, message):
    with pytest.raises(ValueError, match=message):
        to_torch(Sequential([layers.Input((5, 2)), layer]))


def test_a_mask_is_refused():
    chain = [layers.Embedding(4, 3, mask_zero=True), layers.Dense(3), layers.LSTM(2)]
    with pytest.raises(ValueError, match="a mask leaves steps out"):
        to_torch(Sequential([layers.Input((5,)), *chain]))


def test_dropout_of_a_layers_own_is_said():
    model = Sequential([layers.Input((5, 2)), layers.LSTM(3, recurrent_dropout=0.2)])
    with pytest.warns(UserWarning, match="drops values of its own"):
        to_torch(model)


def test_weights_from_files_of_pytorch(tmp_path):
    module = Reviews()
    model = from_torch(module)
    right = model.get_weights()
    torch.save(module.state_dict(), tmp_path / "plain.pt")
    torch.save({"epoch": 3, "model": module.state_dict()}, tmp_path / "checkpoint.pt")
    for name in ("plain.pt", "checkpoint.pt"):
        model.set_weights([0 * w for w in right])
        load_torch_weights(model, tmp_path / name)
        for now, then in zip(model.get_weights(), right, strict=True):
            np.testing.assert_array_equal(now, then)
    torch.save(nn.Linear(2, 2), tmp_path / "module.pt")
    (tmp_path / "noise.pt").write_bytes(b"PK\x03\x04 and nothing else")
    for name in ("module.pt", "noise.pt"):
        with pytest.raises(ValueError, match=f"{name} can't be read as weights alone"):
            load_torch_weights(model, tmp_path / name)


def test_the_code_of_the_page(tmp_path, monkeypatch, capsys):
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package, reason=f"the page goes on to ONNX, which needs {package}")
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "pytorch.md").read_text("utf-8")
    blocks = re.findall(r"^```python torch\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    one = Tutorial()
    one.lstm, one.fc = nn.LSTM(3, 50, 2), nn.Linear(50, 1)
    torch.save(one.state_dict(), "weights.pt")
    namespace: dict = {}
    for block in blocks:
        exec(compile(block, "docs/pytorch.md", "exec"), namespace)
    assert Path("model.keras").exists()
    names = [f"lstm_{layer}/{array}" for layer in (0, 1) for array in "hc"]
    assert capsys.readouterr().out == f"{names} True\n"


def test_pytorch_is_loaded_by_nobody_else():
    code = (
        "import sys, statewise; from statewise import interop, Sequential, layers;"
        "from statewise.interop.pytorch import load_torch_weights;"
        "Sequential([layers.Input((3, 1)), layers.LSTM(2)]);"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
