"""The word model: after each word of a text, how likely is each word to be the next.

    out     p    p    p            p         (samples, 20 time steps, 1000 words), softmax
            |    |    |            |         TimeDistributed: the same Dense at each step
    GRU     o -> o -> o ->  ... -> o         (samples, 20, 48)
            |    |    |            |
    GRU     o -> o -> o ->  ... -> o         (samples, 20, 96)
            |    |    |            |
    words   the  last item  ...    of        (samples, 20 time steps) numbers of words
            Embedding: each number becomes 48 numbers, (samples, 20, 48)

Trained on the docstrings of Python's standard library. Loss is the cross-entropy, and its
exponential, the perplexity, is among how many words the model hesitates.
"""

import numpy as np

from statewise import Model, datasets, layers, sequences

# isort: split
import keras

WORDS, STEPS = 500, 20


def main():
    keras.utils.set_random_seed(0)
    text = datasets.library_words(limit=45_000)
    train, test = text[:40_001], text[40_001:]
    vocabulary = sequences.Vocabulary.fit(train, size=WORDS, unknown="<unknown>")
    x, y = sequences.next_token_windows(vocabulary.encode(train), STEPS)
    test_x, test_y = sequences.next_token_windows(vocabulary.encode(test), STEPS)
    print("x", x.shape, "samples, time steps; y, a word ahead,", y.shape)

    words = layers.Input((None,), dtype="int32")
    embedded = layers.Embedding(WORDS, 48)(words)
    states = layers.GRU(64, return_sequences=True)(embedded)
    states = layers.GRU(32, return_sequences=True)(states)
    scores = layers.TimeDistributed(layers.Dense(WORDS))(states)
    predictions = layers.TimeDistributed(layers.Activation("softmax"))(scores)
    model = Model(words, predictions)
    print("embedded", embedded.shape, "states", states.shape, "predictions", predictions.shape)

    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(0.01))

    def perplexity():
        return float(np.exp(model.evaluate(test_x, test_y, verbose=0)))

    before = perplexity()
    model.fit(x, y, batch_size=16, epochs=6, verbose=0)
    after = perplexity()
    counts = np.bincount(y.ravel(), minlength=WORDS) + 1
    by_frequency = float(np.exp(-np.log(counts / counts.sum())[test_y].mean()))
    print(f"perplexity on other text: before {before:.0f}, after {after:.0f}")
    print(f"by how frequent the words are: {by_frequency:.0f}")
    for start in (["the", "name", "of"], ["if", "it", "is"], ["return", "a"]):
        likely = model.predict(vocabulary.encode(start)[None], verbose=0)[0, -1]
        best = vocabulary.decode(np.argsort(likely)[::-1][:5])
        print(" ".join(start), "...", ", ".join(best))
    return {"before": before, "after": after, "by frequency": by_frequency}


if __name__ == "__main__":
    main()
