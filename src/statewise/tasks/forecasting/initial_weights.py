"""How weights begin, drawn by NumPy: the same on every machine."""

import numpy as np


def glorot_uniform(
    rng: np.random.Generator, rows: int, columns: int, *, outputs: int | None = None
) -> np.ndarray:
    """Draw a matrix (rows, columns) evenly, within ``sqrt(6 / (rows + outputs))`` of 0.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010.

    Args:
        rng: what draws.
        rows, columns: of the matrix.
        outputs: how many of them the inputs go to; all columns by default, as Keras counts the
            gates of a recurrent layer.
    """
    limit = np.sqrt(6 / (rows + (outputs or columns)))
    return rng.uniform(-limit, limit, (rows, columns))


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Draw a matrix with orthonormal rows (or columns, where there are fewer of them).

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", ICLR 2014.

    >>> q = orthogonal(np.random.default_rng(0), 2, 6)
    >>> bool(np.allclose(q @ q.T, np.eye(2)))
    True
    """
    tall = rng.normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))  # without this the draw would not be uniform
    return q if rows >= columns else q.T
