"""`ProjectedLSTM` against PyTorch's ``nn.LSTM(proj_size=...)``, values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise import layers

FEATURES, UNITS, PROJECTION = 2, 3, 2

# What PyTorch 2.13 gave for the weights and inputs that `case` makes, run as in `by_torch`.
OUTPUTS = [
    [
        [-0.0906160577, 0.0972577922],
        [-0.1608516242, 0.1409724731],
        [-0.2369002972, 0.135812464],
        [-0.2521851991, 0.2107736365],
    ],
    [
        [-0.1168255342, 0.1137550059],
        [-0.2103907029, 0.2209934694],
        [-0.2237909171, 0.1211576413],
        [-0.2797826416, 0.2439050523],
    ],
]
CELLS = [
    [-0.7818246201, -0.1483358206, 0.5601074312],
    [-0.8073803507, -0.1078411936, 0.6022633829],
]
GRADIENT = [
    [
        [0.1300951955, 0.0374025087],
        [0.0938667053, 0.0479466798],
        [-0.0394685726, 0.128504909],
        [0.0135389392, 0.183919374],
    ],
    [
        [0.0451752238, 0.0649868326],
        [0.089261054, 0.0351092488],
        [-0.0740796217, 0.1380063157],
        [-0.024290009, 0.1669671585],
    ],
]


def case():
    """Return torch's weights by name, inputs and a state: numbers that need no generator."""

    def numbers(*shape, start):
        return (np.sin(start + 1.7 * np.arange(np.prod(shape))) * 0.6).reshape(shape)

    weights = {
        "weight_ih_l0": numbers(4 * UNITS, FEATURES, start=0.1),
        "weight_hh_l0": numbers(4 * UNITS, PROJECTION, start=0.2),
        "bias_ih_l0": numbers(4 * UNITS, start=0.3),
        "bias_hh_l0": numbers(4 * UNITS, start=0.4),
        "weight_hr_l0": numbers(PROJECTION, UNITS, start=0.5),
    }
    x = numbers(2, 4, FEATURES, start=0.6)
    return weights, x, (numbers(2, PROJECTION, start=0.7), numbers(2, UNITS, start=0.8))


def by_us(weights, x, state):
    """Return what `by_torch` does; torch's gates are in Keras's order, its matrices transposed."""
    layer = layers.ProjectedLSTM(
        UNITS, PROJECTION, return_sequences=True, return_state=True, dtype="float64"
    )
    layer.build((None, None, FEATURES))
    bias = weights["bias_ih_l0"] + weights["bias_hh_l0"]
    kernel, recurrent_kernel, projection = (
        weights[f"weight_{name}_l0"].T for name in ("ih", "hh", "hr")
    )
    layer.set_weights([kernel, recurrent_kernel, bias, projection])

    def squares(x):
        results = layer(x, initial_state=[*map(jnp.asarray, state)])
        return sum(jnp.sum(array**2) for array in results), results

    gradient, results = jax.grad(squares, has_aux=True)(jnp.asarray(x))
    return results, gradient


def by_torch(torch, weights, x, state):
    """Return outputs, h and c, and the gradient of the sum of their squares by x."""
    lstm = torch.nn.LSTM(FEATURES, UNITS, proj_size=PROJECTION, batch_first=True).double()
    lstm.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    given = torch.from_numpy(x).requires_grad_()
    outputs, (h, c) = lstm(given, tuple(torch.from_numpy(a)[None] for a in state))
    sum((a**2).sum() for a in (outputs, h, c)).backward()
    return [a.detach().numpy() for a in (outputs, h[0], c[0])], given.grad.numpy()


def test_the_values_that_torch_gave():
    with jax.enable_x64(True):
        (outputs, h, c), gradient = by_us(*case())
    np.testing.assert_allclose(outputs, OUTPUTS, atol=1e-9)
    np.testing.assert_allclose(h, np.array(OUTPUTS)[:, -1], atol=1e-9)
    np.testing.assert_allclose(c, CELLS, atol=1e-9)
    np.testing.assert_allclose(gradient, GRADIENT, atol=1e-9)


def test_torch_itself():
    torch = pytest.importorskip("torch", reason="PyTorch isn't installed")
    with jax.enable_x64(True):
        ours, gradient = by_us(*case())
    theirs, their_gradient = by_torch(torch, *case())
    for one, other in zip([*ours, gradient], [*theirs, their_gradient], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
