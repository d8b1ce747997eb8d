"""Look-back windows: three months in, the next month out; with the state reset, and carried.

    passengers  112 118 132 129 121 ...

    sample 1    112 118 132 -> 129          x  [samples, time steps, features] = (93, 3, 1)
    sample 2        118 132 129 -> 121      y  [samples] = (93,)
    sample 3            132 129 121 -> ...

Within a sample the network makes three steps, and only the last one's output is used. Stateless,
it forgets everything before the next sample: it never knows more than three months. Stateful, with
batches of one sample in their order, it goes on from sample to sample and knows all months so far;
then somebody must say where the series begins again, which is what reset_states() is for.

Look at the last line too: saying "as last month" is better than either of them. The series grows
beyond what the training saw; stack.py learns its changes instead.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

LOOK_BACK = 3
EPOCHS = 100


def build(stateful):
    keras.utils.set_random_seed(7)  # both begin with the same weights
    model = Sequential(
        [
            layers.Input((LOOK_BACK, 1)),
            layers.LSTM(4, stateful=stateful),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mean_squared_error", optimizer="adam")
    return model


def main():
    passengers = datasets.airline()["passengers"].to_numpy(dtype="float32")
    train, test = sequences.split(passengers, train_fraction=0.67)
    scaler = sequences.MinMaxScaler().fit(train)  # on the training months alone
    train_x, train_y = sequences.create_dataset(scaler.transform(train), LOOK_BACK)
    test_x, test_y = sequences.create_dataset(scaler.transform(test), LOOK_BACK)
    train_x = np.reshape(train_x, (train_x.shape[0], LOOK_BACK, 1))
    test_x = np.reshape(test_x, (test_x.shape[0], LOOK_BACK, 1))
    print("train", train_x.shape, "samples, time steps, features;", train_y.shape, "targets")
    print("test ", test_x.shape, test_y.shape)

    def rmse(y, predicted):
        y, predicted = scaler.inverse_transform(y), scaler.inverse_transform(predicted[:, 0])
        return float(np.sqrt(np.mean((y - predicted) ** 2)))

    results = {}
    for name, stateful in {"stateless": False, "stateful": True}.items():
        model = build(stateful)

        def errors(model=model):
            model.reset_states()  # a stateful one runs over all months, the test after the training
            parts = [(train_x, train_y), (test_x, test_y)]
            return [rmse(y, model.predict(x, batch_size=1, verbose=0)) for x, y in parts]

        before = errors()
        for _ in range(EPOCHS):
            model.reset_states()
            model.fit(train_x, train_y, batch_size=1, shuffle=not stateful, verbose=0)
        after = errors()
        results[name] = {"before": before, "after": after}
        print(f"{name}: RMSE in thousand passengers, train and test")
        print(f"  before {before[0]:6.1f} {before[1]:6.1f}")
        print(f"  after  {after[0]:6.1f} {after[1]:6.1f}")
    naive = float(np.sqrt(np.mean(np.diff(test[LOOK_BACK - 1 :]) ** 2)))
    print(f"as last month, always: {naive:.1f} test")
    return results | {"naive": naive}


if __name__ == "__main__":
    main()
