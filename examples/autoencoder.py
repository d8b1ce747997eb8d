"""An autoencoder of two models: many to one, and one to many; a day of a tank in eight numbers.

    encoder    24 hours, P and T  -> LSTM(32), all steps -> LSTM(8), the last step  = the code
    decoder    the code -> RepeatVector(24) -> LSTM(32), all steps -> TimeDistributed(Dense(2))

    (samples, 24, 2)  ->  (samples, 8)  ->  (samples, 24, 2)      trained with fit(x, x)

The code must hold what the decoder needs to say the whole day again. Both models are models of
their own: the encoder alone makes codes, the decoder alone makes days of codes.
"""

import numpy as np

from statewise import Model, datasets, layers, sequences

# isort: split
import keras

HOURS, CODE = 24, 8


def main():
    keras.utils.set_random_seed(0)
    tanks = datasets.tanks(60, steps=10 * HOURS)
    tanks = sequences.StandardScaler().fit(tanks[:48]).transform(tanks)
    days = sequences.windows(tanks, HOURS, horizon=0, stride=HOURS).x
    x, test = days[:480], days[480:]  # the days of 48 tanks, and of the other 12
    print("x", x.shape, "samples, time steps, features")

    inputs = layers.Input((HOURS, 2))
    states = layers.LSTM(32, return_sequences=True)(inputs)
    encoder = Model(inputs, layers.LSTM(CODE)(states))

    inputs = layers.Input((CODE,))
    repeated = layers.RepeatVector(HOURS)(inputs)
    states = layers.LSTM(32, return_sequences=True)(repeated)
    decoder = Model(inputs, layers.TimeDistributed(layers.Dense(2))(states))

    inputs = layers.Input((HOURS, 2))
    autoencoder = Model(inputs, decoder(encoder(inputs)))
    for name, model in {"encoder": encoder, "decoder": decoder, "both": autoencoder}.items():
        print(f"{name:8} {model.input_shape} -> {model.output_shape}")

    autoencoder.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    before = autoencoder.evaluate(test, test, batch_size=40, verbose=0)
    autoencoder.fit(x, x, batch_size=40, epochs=80, verbose=0)
    after = autoencoder.evaluate(test, test, batch_size=40, verbose=0)
    constant = float(np.mean((test - test.mean(axis=1, keepdims=True)) ** 2))
    print(f"error on other tanks (variances): before {before:.3f}, after {after:.3f}")
    print(f"with the day's mean, always: {constant:.3f}")
    codes = encoder.predict(test[:1], verbose=0)
    said = decoder.predict(codes, verbose=0)
    print("code       ", *(f"{value:5.2f}" for value in codes[0]))
    print("temperature", *(f"{value:5.2f}" for value in test[0, ::3, 1]))
    print("said again ", *(f"{value:5.2f}" for value in said[0, ::3, 1]))
    return {"before": before, "after": after, "constant": constant}


if __name__ == "__main__":
    main()
