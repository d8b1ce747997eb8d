"""Every code block of the page, as it stands there, in small sizes.

Only the names that the page leaves undefined are given values here, its curly quotes are made
straight, and lines whose indentation Python doesn't read (see `run`) are moved to where they mean.
"""

import re
import textwrap
import warnings
from types import SimpleNamespace

import numpy
import numpy as np
import pytest

import statewise.interop.keras1 as keras
from statewise import datasets, sequences
from statewise.interop.keras1 import OldSpellingWarning
from statewise.interop.keras1.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from statewise.interop.keras1.models import Model, Sequential

AIRLINE = r"""
# reshape into X=t and Y=t+1
look_back = 3
trainX, trainY = create_dataset(train, look_back)
testX, testY = create_dataset(test, look_back)

# reshape input to be [samples, time steps, features]
trainX = numpy.reshape(trainX, (trainX.shape[0], look_back, 1))
testX = numpy.reshape(testX, (testX.shape[0], look_back, 1))
########################
# The IMPORTANT BIT
##########################
# create and fit the LSTM network
batch_size = 1
model = Sequential()
model.add(LSTM(4, batch_input_shape=(batch_size, look_back, 1), stateful=True))
model.add(Dense(1))
model.compile(loss='mean_squared_error', optimizer='adam')
for i in range(100):
    model.fit(trainX, trainY, nb_epoch=1, batch_size=batch_size, verbose=2, shuffle=False)
    model.reset_states()
"""

MANY_TO_MANY = r"""
outputs = LSTM(units, return_sequences=True)(inputs)

#output_shape -> (batch_size, steps, units)
"""

MANY_TO_ONE = r"""
outputs = LSTM(units)(inputs)

#output_shape -> (batch_size, units) --> steps were discarded, only the last was returned
"""

REPEAT_VECTOR = r"""
outputs = RepeatVector(steps)(inputs) #where inputs is (batch,features)
outputs = LSTM(units,return_sequences=True)(outputs)

#output_shape -> (batch_size, steps, units)
"""

STATEFUL_LAYER = r"""
outputs = LSTM(units=features, 
               stateful=True, 
               return_sequences=True, #just to keep a nice output shape even with length 1
               input_shape=(None,features))(inputs) 
    #units = features because we want to use the outputs as inputs
    #None because we want variable length

#output_shape -> (batch_size, steps, units) 
"""

ONE_TO_MANY_LOOP = r"""
input_data = someDataWithShape((batch, 1, features))

#important, we're starting new sequences, not continuing old ones:
model.reset_states()

output_sequence = []
last_step = input_data
for i in steps_to_predict:

    new_step = model.predict(last_step)
    output_sequence.append(new_step)
    last_step = new_step

 #end of the sequences
 model.reset_states()
"""

SAME_STATEFUL_LAYER = r"""
outputs = LSTM(units=features, 
               stateful=True, 
               return_sequences=True, 
               input_shape=(None,features))(inputs) 
    #units = features because we want to use the outputs as inputs
    #None because we want variable length

#output_shape -> (batch_size, steps, units) 
"""

TRAIN_NEXT_STEP = r"""
totalSequences = someSequencesShaped((batch, steps, features))
    #batch size is usually 1 in these cases (often you have only one Tank in the example)

X = totalSequences[:,:-1] #the entire known sequence, except the last step
Y = totalSequences[:,1:] #one step ahead of X

#loop for resetting states at the start/end of the sequences:
for epoch in range(epochs):
    model.reset_states()
    model.train_on_batch(X,Y)
"""

WARM_UP = r"""
model.reset_states() #starting a new sequence
predicted = model.predict(totalSequences)
firstNewStep = predicted[:,-1:] #the last step of the predictions is the first future step
"""

CLOSED_LOOP = r"""
output_sequence = [firstNewStep]
last_step = firstNewStep
for i in steps_to_predict:

    new_step = model.predict(last_step)
    output_sequence.append(new_step)
    last_step = new_step

 #end of the sequences
 model.reset_states()
"""

ENCODER = r"""
inputs = Input((steps,features))

#a few many to many layers:
outputs = LSTM(hidden1,return_sequences=True)(inputs)
outputs = LSTM(hidden2,return_sequences=True)(outputs)    

#many to one layer:
outputs = LSTM(hidden3)(outputs)

encoder = Model(inputs,outputs)
"""

DECODER = r"""
inputs = Input((hidden3,))

#repeat to make one to many:
outputs = RepeatVector(steps)(inputs)

#a few many to many layers:
outputs = LSTM(hidden4,return_sequences=True)(outputs)

#last layer
outputs = LSTM(features,return_sequences=True)(outputs)

decoder = Model(inputs,outputs)
"""

AUTOENCODER = r"""
inputs = Input((steps,features))
outputs = encoder(inputs)
outputs = decoder(outputs)

autoencoder = Model(inputs,outputs)
"""

WORD_MODEL = r"""
words = keras.layers.Input(batch_shape=(None, self.maxSequenceLength), name = "input")

    # Build a matrix of size vocabularySize x EmbeddingDimension 
    # where each row corresponds to a "word embedding" vector.
    # This layer will convert replace each word-id with a word-vector of size Embedding Dimension.
    embeddings = keras.layers.embeddings.Embedding(self.vocabularySize, self.EmbeddingDimension,
        name = "embeddings")(words)
    # Pass the word-vectors to the LSTM layer.
    # We are setting the hidden-state size to 512.
    # The output will be batchSize x maxSequenceLength x hiddenStateSize
    hiddenStates = keras.layers.GRU(512, return_sequences = True, 
                                        input_shape=(self.maxSequenceLength,
                                        self.EmbeddingDimension),
                                        name = "rnn")(embeddings)
    hiddenStates2 = keras.layers.GRU(128, return_sequences = True, 
                                        input_shape=(self.maxSequenceLength, self.EmbeddingDimension),
                                        name = "rnn2")(hiddenStates)

    denseOutput = TimeDistributed(keras.layers.Dense(self.vocabularySize), 
        name = "linear")(hiddenStates2)
    predictions = TimeDistributed(keras.layers.Activation("softmax"), 
        name = "softmax")(denseOutput)  

    # Build the computational graph by specifying the input, and output of the network.
    model = keras.models.Model(input = words, output = predictions)
    # model.compile(loss='kullback_leibler_divergence', \
    model.compile(loss='sparse_categorical_crossentropy', \
        optimizer = keras.optimizers.Adam(lr=0.009, \
            beta_1=0.9,\
            beta_2=0.999, \
            epsilon=None, \
            decay=0.01, \
            amsgrad=False))
"""  # noqa: E501


@pytest.fixture(autouse=True)
def _the_same_weights_to_begin_with():
    keras.utils.set_random_seed(1)  # the page's blocks have no seed of their own


THE_PAGES_IMPORTS = {
    "keras": keras,
    "numpy": numpy,
    "create_dataset": sequences.create_dataset,
    "Dense": Dense,
    "Input": Input,
    "LSTM": LSTM,
    "Model": Model,
    "RepeatVector": RepeatVector,
    "Sequential": Sequential,
    "TimeDistributed": TimeDistributed,
}


class Page:
    """The names that the page's blocks see, and the old spellings that they were told of."""

    def __init__(self, /, **names):
        self.names = THE_PAGES_IMPORTS | {"__name__": "page"} | names
        self.told = []

    def run(self, block):
        """Run a block: all but its first line may stand too far right, and one line by a space."""
        first, rest = block.strip("\n").split("\n", 1)
        rest = re.sub(r"^ (?=\S)", "", rest, flags=re.MULTILINE)
        code = compile(first + "\n" + textwrap.dedent(rest), "page", "exec")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", OldSpellingWarning)
            exec(code, self.names)
        assert all(warning.category is OldSpellingWarning for warning in caught)
        assert all(warning.filename == "page" for warning in caught)
        self.told += [str(warning.message).split(" is an old spelling")[0] for warning in caught]
        return SimpleNamespace(**self.names)


def tanks(number, steps):
    """Return pressure and temperature of some tanks, around 0 and within -1 and 1."""
    series = datasets.tanks(number, steps)
    low, high = series.min(axis=(0, 1)), series.max(axis=(0, 1))
    return 1.6 * (series - low) / (high - low) - 0.8


def test_the_airline_script(capsys):
    passengers = datasets.airline()[["passengers"]].to_numpy(dtype="float32")
    parts = sequences.split(passengers, train_fraction=0.67)
    scaler = sequences.MinMaxScaler().fit(parts.train)
    train, test = (scaler.transform(part)[:, 0] for part in parts)
    page = Page(train=train, test=test)
    after = page.run(AIRLINE)

    assert page.told == ["batch_input_shape=", "nb_epoch="]
    assert after.trainX.shape == (93, 3, 1)
    losses = [float(loss) for loss in re.findall(r"- loss: ([\d.]+)", capsys.readouterr().out)]
    assert len(losses) == 100
    assert losses[-1] < 0.6 * losses[0]
    assert after.model.input_shape == (1, 3, 1)
    predicted = after.model.predict(after.trainX, batch_size=1, verbose=0)
    mean_squared = np.mean((predicted[:, 0] - after.trainY) ** 2)
    assert mean_squared < 0.2 * np.var(after.trainY)
    # Stateful: the same windows, seen after others, aren't the same to the network.
    again = after.model.predict(after.trainX[:1], batch_size=1, verbose=0)
    assert abs(again.item() - predicted[0].item()) > 1e-4


def test_many_to_many_and_many_to_one(rng):
    page = Page(inputs=Input((5, 2)), units=3)
    many = page.run(MANY_TO_MANY).outputs
    one = page.run(MANY_TO_ONE).outputs
    assert many.shape == (None, 5, 3)
    assert one.shape == (None, 3)
    many, one = Model(page.names["inputs"], many), Model(page.names["inputs"], one)
    one.set_weights(many.get_weights())
    x = rng.normal(size=(4, 5, 2))
    np.testing.assert_allclose(
        one.predict(x, verbose=0), many.predict(x, verbose=0)[:, -1], atol=1e-6
    )


def test_one_to_many_by_a_repeat_vector(rng):
    page = Page(inputs=Input((2,)), units=3, steps=4)
    outputs = page.run(REPEAT_VECTOR).outputs
    assert outputs.shape == (None, 4, 3)
    model = Model(page.names["inputs"], outputs)
    y = rng.uniform(-0.5, 0.5, size=(6, 4, 3))
    x = rng.normal(size=(6, 2))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.05))
    losses = model.fit(x, y, epochs=150, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_one_to_many_by_feeding_back(rng):
    page = Page(inputs=Input((None, 2)), features=2)
    outputs = page.run(STATEFUL_LAYER).outputs
    assert page.told == ["input_shape="]
    assert outputs.shape == (None, None, 2)
    model = Model(page.names["inputs"], outputs)
    page.names |= {
        "model": model,
        "batch": 3,
        "someDataWithShape": lambda shape: rng.normal(size=shape),
        "steps_to_predict": range(6),
    }
    model.predict(rng.normal(size=(5, 4, 2)), verbose=0)  # leaves a state, of another batch size
    after = page.run(ONE_TO_MANY_LOOP)
    by_hand = np.concatenate(after.output_sequence, axis=1)
    assert by_hand.shape == (3, 6, 2)
    np.testing.assert_allclose(by_hand, model.forecast(after.input_data, 6), atol=1e-6)
    # It is the state that makes it so: without it, the second step comes out otherwise.
    forgetful = model.predict(by_hand[:, :1], verbose=0)
    assert np.abs(forgetful - by_hand[:, 1:2]).max() > 1e-3


@pytest.mark.parametrize("batch", [1, 3])
def test_next_step_training_and_forecasting(batch):
    page = Page(inputs=Input((None, 2)), features=2, batch=batch, steps=40, epochs=60)
    outputs = page.run(SAME_STATEFUL_LAYER).outputs
    model = Model(page.names["inputs"], outputs)
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.02))
    series = tanks(batch, 40)
    page.names |= {
        "model": model,
        "someSequencesShaped": lambda shape: series.reshape(shape),
        "steps_to_predict": range(4),
    }
    before = model.evaluate(series[:, :-1], series[:, 1:], batch_size=batch, verbose=0)
    after = page.run(TRAIN_NEXT_STEP)
    model.reset_states()
    trained = model.evaluate(after.X, after.Y, batch_size=batch, verbose=0)
    assert trained < 0.5 * before

    after = page.run(WARM_UP)
    assert after.predicted.shape == (batch, 40, 2)
    assert after.firstNewStep.shape == (batch, 1, 2)
    after = page.run(CLOSED_LOOP)
    by_hand = np.concatenate(after.output_sequence, axis=1)
    assert by_hand.shape == (batch, 5, 2)
    np.testing.assert_allclose(by_hand, model.forecast(series, 5), atol=1e-5)


def test_tanks_in_aligned_batches_of_two_and_three_steps():
    series = tanks(4, 5)
    page = Page(inputs=Input((None, 2)), features=2)
    model = Model(page.names["inputs"], page.run(STATEFUL_LAYER).outputs)
    first, second = (model.predict(part, verbose=0) for part in (series[:, :2], series[:, 2:]))
    model.reset_states()
    whole = model.predict(series, verbose=0)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-6)


@pytest.mark.slow
def test_the_autoencoder():
    page = Page(steps=5, features=2, hidden1=8, hidden2=6, hidden3=4, hidden4=8)
    page.run(ENCODER)
    page.run(DECODER)
    after = page.run(AUTOENCODER)
    assert after.encoder.output_shape == (None, 4)
    assert after.decoder.input_shape == (None, 4)
    assert after.autoencoder.output_shape == (None, 5, 2)

    X = tanks(32, 5)
    after.autoencoder.compile(loss="mse", optimizer=keras.optimizers.Adam(0.02))
    losses = after.autoencoder.fit(X, X, epochs=300, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]
    # The two models it was built of were trained in it.
    codes = after.encoder.predict(X, verbose=0)
    np.testing.assert_allclose(
        after.decoder.predict(codes, verbose=0), after.autoencoder.predict(X, verbose=0), atol=1e-6
    )


@pytest.mark.slow
def test_the_word_model(rng):
    sizes = SimpleNamespace(vocabularySize=20, EmbeddingDimension=6, maxSequenceLength=5)
    page = Page(self=sizes)
    model = page.run(WORD_MODEL).model
    assert page.told == [
        "keras.layers.embeddings",
        "input_shape=",
        "input=",
        "output=",
        "lr=",
        "epsilon=None",
        "decay=",
    ]
    assert [layer.name for layer in model.layers] == [
        "input",
        "embeddings",
        "rnn",
        "rnn2",
        "linear",
        "softmax",
    ]
    assert model.output_shape == (None, 5, 20)

    words = rng.integers(0, 20, size=(16, 5))
    next_words = (words + 3) % 20
    losses = [model.train_on_batch(words, next_words) for _ in range(40)]
    assert losses[0] == pytest.approx(np.log(20), rel=0.1)
    assert losses[-1] < 0.3 * losses[0]
    assert float(model.optimizer.learning_rate) == pytest.approx(0.009 / (1 + 0.01 * 40))
    likely = model.predict(words, verbose=0)
    np.testing.assert_allclose(likely.sum(axis=-1), 1, atol=1e-5)
    assert (likely.argmax(axis=-1) == next_words).mean() > 0.8
