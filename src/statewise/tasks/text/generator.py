"""`TextGenerator`: from a text to a network that writes more of its kind, and judges others."""

from dataclasses import asdict
from importlib import import_module
from typing import Any, Self

from statewise._runtime.forks import check_not_forked
from statewise.tasks.forecasting.parameters import Parameters
from statewise.tasks.forecasting.progress import Progress, as_progress
from statewise.tasks.forecasting.serialization.parts import damage_told
from statewise.tasks.forecasting.serialization.typed import typed
from statewise.tasks.text import saved
from statewise.tasks.text.arguments import check
from statewise.tasks.text.fitted import Learned
from statewise.tasks.text.generating import Generating
from statewise.tasks.text.judging import Judging
from statewise.tasks.text.learning import learn
from statewise.tasks.text.network import Plan, network
from statewise.tasks.text.tokens import Tokens


class TextGenerator(Generating, Judging, Parameters):
    r"""Learns the next token of a text from all before it, writes texts, and judges others.

    A recurrent network reads a text token by token and gives each token that may be the next a
    probability. It's trained on lanes: the state is carried through a document from its begin to
    its end. The loss is the cross-entropy in nats a token,

    .. math:: L = -\frac{1}{n} \sum_{t=1}^{n} \log p(x_t \mid x_1, \dots, x_{t-1})

    divided by log 2 the bits a token; :math:`e^L` is the perplexity.

    Args:
        level: what a token is: "char", "word" (with the space before it) or "bytes". The tokens of
            a text, one after the other, are the text.
        cell: "lstm", "gru" or "rnn".
        units: units of a recurrent layer.
        layers: recurrent layers.
        embedding: numbers that a token becomes; "auto" takes 64, of words 128.
        vocabulary: how many tokens are known at most, the most frequent ones; others are the
            unknown token. None for all, "auto" for all characters and 10,000 words.
        dropout: share of the values between the layers, and after the last, that are 0 in training:
            the same ones for all steps of a batch (variational dropout).
        weight_drop: share of the recurrent weights that are 0 in training, others each batch.
        tied: whether the embedding's weights are those of the scores too.
        layer_norm: whether what comes out of each recurrent layer is normalised.
        lanes: how many parts of the text are read beside each other, which is the batch size;
            "auto" takes up to 16. Fewer learn more from an epoch, more are faster.
        steps: tokens of a lane in a batch, over which gradients flow.
        epochs: passes over the text; "auto" takes as many as show the network 8 million tokens, 40
            at most.
        learning_rate: the highest: it rises to that and falls to almost nothing once in all epochs.
        weight_decay: of AdamW: by how much of itself, times the rate, each weight shrinks a batch.
        clip: the norm to which larger gradients are scaled; None for none.
        validation: share of the text, its last part, that isn't trained on but tells the best
            epoch, whose weights are kept; or another text for that; 0 or None for none.
        patience: epochs without a better one after which training ends; None for all epochs.
        seed: of everything that is drawn in training.

    Attributes (after ``fit``):
        vocabulary_: the known tokens, the most frequent first; of bytes all 256.
        counts_: how often each was in the text.
        unknown_: how many tokens of the text were unknown ones.
        history_: losses after each epoch, in nats a token, "loss" and "val_loss".
        validation_loss_: the lowest loss on the validation part, which is read in up to 8 lanes;
            None without one. `score` reads a text from its begin to its end.
        epochs_, lanes_: how many there were.
        model_: the network, a Keras model.

    References: Graves, "Generating sequences with recurrent neural networks" (2013); for what is to
    be chosen, Merity et al., "Regularizing and optimizing LSTM language models" (2017).

    >>> generator = TextGenerator(units=24, epochs=20, learning_rate=0.02, steps=16, lanes=4)
    >>> _ = generator.fit("the cat sat on the mat. " * 40)
    >>> generator.generate("the ", 20, temperature=0)
    'cat sat on the mat. '
    """

    def __init__(
        self,
        *,
        level: str = "char",
        cell: str = "lstm",
        units: int = 512,
        layers: int = 1,
        embedding: int | str = "auto",
        vocabulary: int | str | None = "auto",
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        tied: bool = False,
        layer_norm: bool = False,
        lanes: int | str = "auto",
        steps: int = 64,
        epochs: int | str = "auto",
        learning_rate: float = 0.003,
        weight_decay: float = 0.05,
        clip: float | None = 1.0,
        validation: Any = 0.1,
        patience: int | None = None,
        seed: int = 0,
    ):
        self.level = level
        self.cell = cell
        self.units = units
        self.layers = layers
        self.embedding = embedding
        self.vocabulary = vocabulary
        self.dropout = dropout
        self.weight_drop = weight_drop
        self.tied = tied
        self.layer_norm = layer_norm
        self.lanes = lanes
        self.steps = steps
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clip = clip
        self.validation = validation
        self.patience = patience
        self.seed = seed

    def fit(
        self,
        text: Any,
        y: Any = None,
        *,
        encoding: str = "utf-8",
        progress: Progress | bool | None = None,
        checkpoint: Any = None,
        every: Any = None,
        keep: int | None = None,
    ) -> Self:
        """Learn a text of any size; it's read once, in pieces, and kept as numbers on the disk.

        Args:
            text: a str; the path of a file; or an iterable of both, each item a document, at whose
                begin the state is the initial one. At the level "bytes" bytes too.
            y: not used; scikit-learn's tools give it.
            encoding: of files; not used at the level "bytes".
            progress: called after each epoch with "training", the epochs done, the most there will
                be, and the validation part's loss (without one, the training's); True shows a bar.
            checkpoint, every, keep: a folder in which the training's state is kept as it goes, how
                often, and how many: the same call after a kill goes on, to the same result to the
                bit. See `Model.fit`.

        Returns:
            The generator itself.

        Raises:
            DataError: where the text is empty or too short, or a file isn't in that encoding.
            TypeError: where the text or an argument is of a wrong type.
            ValueError: where an argument is out of range, or the training went astray.
            OSError: where a file can't be read, or a checkpoint can't be written.
        """
        check_not_forked()
        check(self)
        kept = {"checkpoint": checkpoint, "every": every, "keep": keep}
        self._adopt(learn(self, text, encoding, as_progress(progress), **kept))
        return self

    def save(self, path: Any) -> None:
        """Save the fitted generator as one file.

        Args:
            path: of the file; an existing one is replaced.

        Raises:
            ValueError: before ``fit``.
            OSError: where the file can't be written.
        """
        learned = self._check_fitted()
        params = self.get_params()
        if not isinstance(params["validation"], (float, int, type(None))):
            params["validation"] = None  # a text of its own, which isn't part of the generator
        plain = {
            "params": params,
            "plan": asdict(learned.plan),
            "tokens": learned.tokens.get_state(),
            "facts": learned.facts,
        }
        saved.write(path, plain, learned.model)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Return the generator that `save` wrote: it writes and judges the same, to the bit.

        Args:
            path: of the file.

        Raises:
            DataError: where it is no file of a text generator, or of another format.
            FileNotFoundError: where there is none.
        """
        check_not_forked()
        plain, arrays = saved.read(path)
        with damage_told(path, saved.KIND):
            self = cls(**plain["params"])
            check(self)
            plan, tokens = typed(Plan, plain["plan"]), Tokens.from_state(plain["tokens"])
            saved.check_sizes(plan, arrays)
            if plan.tokens != len(tokens):
                raise ValueError(f"its network knows {plan.tokens} tokens, its list {len(tokens)}")
            model = network(plan)
            saved.give_weights(model, arrays)
            self._adopt(Learned(plan, tokens, model, dict(plain["facts"])))
        return self

    def __sklearn_tags__(self):
        """Return what scikit-learn asks of an estimator: this one takes texts and needs no y."""
        utils = import_module("sklearn.utils")  # it's there: nothing else calls this
        takes = utils.InputTags(one_d_array=True, two_d_array=False, string=True)
        return utils.Tags(None, utils.TargetTags(required=False), input_tags=takes)

    def _adopt(self, learned: Learned) -> None:
        """Take what was learned, and set the attributes that tell of it."""
        self._learned, tokens, facts = learned, learned.tokens, learned.facts
        of_bytes = tokens.level == "bytes"
        self.vocabulary_ = tuple(range(len(tokens))) if of_bytes else tokens.names
        counts = tokens.counts if of_bytes else tokens.counts[1:]
        self.counts_ = dict(zip(self.vocabulary_, counts, strict=True))
        self.unknown_ = 0 if of_bytes else tokens.counts[0]
        self.history_ = {name: list(values) for name, values in facts["history"].items()}
        losses = self.history_.get("val_loss")
        self.validation_loss_ = min(losses) if losses else None
        self.epochs_, self.lanes_ = facts["epochs"], facts["lanes"]
        self.model_ = learned.model
