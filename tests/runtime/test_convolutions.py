"""Convolutions that are transposed for XLA compute what they did, in loops and out of them."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise._runtime.convolutions import transpose_convolutions


def convolved(x, kernel, *, strides, padding, dilation, groups):
    """Return a convolution of ``(batch, space..., in)`` and ``(space..., in, out)``, in loops."""
    space = x.ndim - 2
    x = np.pad(x, [(0, 0), *padding, (0, 0)])
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:space], dilation, strict=True)]
    room = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:-1], reach, strides, strict=True)]
    result = np.zeros((x.shape[0], *room, kernel.shape[-1]), np.result_type(x, kernel))
    inputs, outputs = kernel.shape[-2], kernel.shape[-1] // groups
    for place in itertools.product(*map(range, room)):
        for tap in itertools.product(*map(range, kernel.shape[:space])):
            at = tuple(
                p * s + t * d for p, s, t, d in zip(place, strides, tap, dilation, strict=True)
            )
            for group in range(groups):
                of_in = slice(group * inputs, (group + 1) * inputs)
                of_out = slice(group * outputs, (group + 1) * outputs)
                part = x[(slice(None), *at)][:, of_in] @ kernel[tap][:, of_out]
                result[(slice(None), *place, of_out)] += part
    return result


def drawn(seed, depthwise=False):
    """Return a convolution in some layout: inputs, kernel, options, and the axes of all three."""
    rng = np.random.default_rng(seed)
    space, groups = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    if depthwise:
        space, groups = int(rng.integers(1, 3)), int(rng.integers(2, 6))
    dtype = rng.choice(["float32", "float64", "complex64"])

    def numbers(*shape):
        values = rng.normal(size=shape)
        return (values + 1j * rng.normal(size=shape) if dtype == "complex64" else values).astype(
            dtype
        )

    into, out = int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    if depthwise:
        into = int(rng.integers(1, 3))
    sizes, taps = rng.integers(5, 8, space), rng.integers(1, 4, space)
    x = numbers(int(rng.integers(1, 4)), *sizes, groups * into)
    options = {
        "strides": [int(n) for n in rng.integers(1, 3, space)],
        "padding": [tuple(map(int, rng.integers(0, 3, 2))) for _ in range(space)],
        "dilation": [int(n) for n in rng.integers(1, 3, space)],
        "groups": groups,
    }
    orders = [tuple(map(int, rng.permutation(space + 2))) for _ in range(3)]
    return x, numbers(*taps, into, out), options, orders


def run(x, kernel, options, orders):
    """Return JAX's convolution of the transposed arrays, and how its outputs are transposed."""
    last = x.ndim - 1
    ends = (0, last, *range(1, last))  # batch, features, space: where they stand before
    places = ends, (last, last - 1, *range(last - 1)), ends
    numbers = [
        tuple(order.index(axis) for axis in axes)
        for order, axes in zip(orders, places, strict=True)
    ]
    return jax.lax.conv_general_dilated(
        jnp.transpose(x, orders[0]),
        jnp.transpose(kernel, orders[1]),
        options["strides"],
        options["padding"],
        rhs_dilation=options["dilation"],
        dimension_numbers=jax.lax.ConvDimensionNumbers(*numbers),
        feature_group_count=options["groups"],
    )


def test_jax_keeps_the_rule_where_it_is_looked_for():
    assert transpose_convolutions()


@pytest.mark.parametrize("seed", range(20))
def test_a_convolution_in_any_layout_is_that_of_plain_loops(seed):
    x, kernel, options, orders = drawn(seed)
    with jax.enable_x64(x.dtype == "float64"):
        found = jax.jit(lambda x, kernel: run(x, kernel, options, orders))(x, kernel)
        assert found.dtype == x.dtype
    expected = np.transpose(convolved(x, kernel, **options), orders[2])
    tolerance = 1e-12 if x.dtype == "float64" else 1e-4
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("seed", range(20, 30))
def test_gradients_in_a_loop_are_those_of_the_loop_unrolled(seed):
    x, kernel, options, orders = drawn(seed)
    weights = np.random.default_rng(seed).normal(size=run(x, kernel, options, orders).shape)

    def step(given):
        x, kernel = given
        gradients = jax.grad(
            lambda *both: (run(*both, options, orders).real * weights).sum(), argnums=(0, 1)
        )(x, kernel)
        return jax.tree.map(lambda a, b: a - 0.01 * b, (x, kernel), gradients)

    looped = jax.jit(lambda *given: jax.lax.fori_loop(0, 3, lambda _, g: step(g), given))
    found = looped(jnp.asarray(x), jnp.asarray(kernel))
    expected = jnp.asarray(x), jnp.asarray(kernel)
    for _ in range(3):
        expected = step(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(50, 66))
def test_depthwise_convolutions_and_their_gradients_are_those_of_plain_loops(seed):
    x, kernel, options, orders = drawn(seed, depthwise=True)
    rng = np.random.default_rng(seed)
    whole = convolved(x, kernel, **options)
    weights = rng.normal(size=whole.shape).astype("float32")

    def loss(x, kernel):
        found = jnp.transpose(run(x, kernel, options, orders), np.argsort(orders[2]))
        return (found.real * weights).sum(), found

    gradients, found = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(x, kernel)
    np.testing.assert_allclose(found, whole, rtol=1e-4, atol=1e-4)
    # The loss is linear in each of the two, so a gradient says what any other would give.
    for _ in range(3):
        others = rng.normal(size=x.shape), rng.normal(size=kernel.shape)
        losses = [
            (convolved(others[0], kernel, **options).real * weights).sum(),
            (convolved(x, others[1], **options).real * weights).sum(),
        ]
        for other, gradient, expected in zip(others, gradients, losses, strict=True):
            total = (np.asarray(gradient).real * other).sum()
            np.testing.assert_allclose(total, expected, rtol=1e-3, atol=1e-3)


def test_a_depthwise_layer_trains_without_a_convolution():
    numbers = ("NHWC", "HWIO", "NHWC")

    def loss(kernel, x):
        y = jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=numbers, feature_group_count=6
        )
        return (y**2).sum()

    x, kernel = jnp.ones((2, 8, 8, 6)), jnp.ones((3, 3, 1, 6))
    text = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(kernel, x).as_text()
    assert "stablehlo.convolution" not in text


def test_no_convolution_of_a_training_step_is_left_in_another_layout():
    def loss(kernel, x):
        numbers = ("NCHW", "OIHW", "NCHW")
        y = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=numbers)
        return (y**2).sum()

    x, kernel = jnp.ones((2, 3, 8, 8)), jnp.ones((4, 3, 3, 3))

    @jax.jit
    def train(kernel, xs):
        return jax.lax.fori_loop(0, 4, lambda i, k: k - jax.grad(loss)(k, xs[i]), kernel)

    text = train.lower(kernel, jnp.stack([x] * 4)).as_text()
    convolutions = [line for line in text.splitlines() if "stablehlo.convolution" in line]
    assert len(convolutions) >= 2
    for line in convolutions:
        assert "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]" in line


def test_a_convolution_mapped_over_kernels_stays_right():
    x, kernel, options, orders = drawn(3)
    options = options | {"groups": 1}
    kernel = np.stack([kernel[..., : x.shape[-1], :], 2 * kernel[..., : x.shape[-1], :]])
    x = x[..., : kernel.shape[-2]]
    many = jax.jit(jax.vmap(lambda k: run(x, k, options, orders)))(jnp.asarray(kernel))
    for found, one in zip(many, kernel, strict=True):
        np.testing.assert_allclose(found, run(x, one, options, orders), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("groups", [2, 3, 8])
def test_groups_of_a_batch_are_those_of_separate_convolutions(groups):
    rng = np.random.default_rng(groups)
    x = jnp.asarray(rng.normal(size=(2 * groups, 9, 4)), "float32")
    kernel = jnp.asarray(rng.normal(size=(3, 4, 5 * groups)), "float32")

    def convolution(x, kernel, **groups):
        numbers = ("NWC", "WIO", "NWC")
        return jax.lax.conv_general_dilated(
            x, kernel, (2,), [(1, 0)], dimension_numbers=numbers, **groups
        )

    found = jax.jit(lambda *given: convolution(*given, batch_group_count=groups))(x, kernel)
    parts = zip(jnp.split(x, groups), jnp.split(kernel, groups, axis=-1), strict=True)
    expected = jnp.concatenate([convolution(*part) for part in parts], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
