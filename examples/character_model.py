"""The character model: learn Python from its own library, a character at a time; then write some.

    out     e    f         m    y            (samples, 50 time steps, characters): a score for each
            |    |    |    |    |
    state   o -> o -> o -> o -> o            GRU(128, return_sequences=True)
            |    |    |    |    |
    in      d    e    f         m            (samples, 50 time steps) numbers of characters

To write, the loop is closed: a character is drawn, as likely as the model finds it, and is the next
input. `forecast(feed_back=...)` does so inside the compiled program: with Gumbel noise added to the
scores, the highest of them is such a draw.
"""

import jax
import jax.numpy as jnp
import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

STEPS = 50


def draw(scores, step):
    """Draw a character for each row of scores (batch, characters) -> (batch,)."""
    noise = jax.random.gumbel(jax.random.fold_in(jax.random.key(1), step), scores.shape)
    return jnp.argmax(scores / 0.7 + noise, axis=-1)  # 0.7: a little bolder than the model is


def main():
    keras.utils.set_random_seed(0)
    text = datasets.library_source(limit=90_000)
    vocabulary = sequences.Vocabulary.fit(text)
    ids = vocabulary.encode(text)
    x, y = sequences.next_token_windows(ids[:80_001], STEPS)
    test_x, test_y = sequences.next_token_windows(ids[80_001:], STEPS)
    print("x", x.shape, "samples, time steps; y, a character ahead,", y.shape)

    model = Sequential(
        [
            layers.Input((None,), dtype="int32"),
            layers.Embedding(len(vocabulary), 32),
            layers.GRU(128, return_sequences=True),
            layers.TimeDistributed(layers.Dense(len(vocabulary))),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.01))
    for layer in model.layers:
        print(f"{layer.name:16} {layer.output.shape}")

    before = model.evaluate(test_x, test_y, verbose=0)
    model.fit(x, y, batch_size=32, epochs=6, verbose=0)
    after = model.evaluate(test_x, test_y, verbose=0)
    counts = np.bincount(y.ravel(), minlength=len(vocabulary)) + 1
    by_frequency = float(-np.log2(counts / counts.sum())[test_y].mean())
    before, after = before / np.log(2), after / np.log(2)
    print(f"bits a character on other text: before {before:.2f}, after {after:.2f}")
    print(f"by how frequent the characters are: {by_frequency:.2f}")

    start = "    def "
    scores = model.forecast(vocabulary.encode(start)[None], 300, feed_back=draw)  # (1, 300, all)
    written = [int(draw(scores[:, step], step)[0]) for step in range(scores.shape[1])]
    written = start + vocabulary.decode(written)
    print(written)
    return {"before": before, "after": after, "by frequency": by_frequency, "text": written}


if __name__ == "__main__":
    main()
