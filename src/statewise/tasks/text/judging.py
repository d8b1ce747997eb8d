"""What a fitted `TextGenerator` says of texts: how likely they are, and the state after them."""

import math
from typing import Any

import numpy as np

from statewise.sequences.tables import DataError
from statewise.tasks.text.documents import pieces
from statewise.tasks.text.fitted import Fitted
from statewise.tasks.text.tokens import cut


class Judging(Fitted):
    """What judges texts; a base of `TextGenerator`."""

    def log_likelihood(self, text: Any, *, each: bool = False, encoding: str = "utf-8") -> Any:
        """Return the logarithm of the probability of a text, in nats.

        The text is read from its begin to its end, the state carried through it, its first token
        told from the initial state. A token that isn't in the vocabulary counts as the unknown one.

        Args:
            text: a str or the path of a file; or a list of both.
            each: return that of each token rather than their sum.
            encoding: of files.

        Returns:
            A float; with ``each`` float64 (time,). For a list ``(texts,)``, with ``each`` a list.

        Raises:
            TypeError, ValueError, OSError: before ``fit``, and where the text can't be read.
        """
        learned = self._check_fitted()

        def of_one(document: Any) -> Any:
            parts = learned.log_likelihoods(document, encoding)
            if each:
                return np.concatenate([np.zeros(0), *parts])
            return float(math.fsum(float(part.sum()) for part in parts))

        if not isinstance(text, (list, tuple)):
            return of_one(text)
        found = [of_one(document) for document in text]
        return found if each else np.array(found, np.float64)

    def score(self, text: Any, y: Any = None, *, encoding: str = "utf-8") -> float:
        """Return the mean log-likelihood of a token, in nats; its negative is the loss.

        Args:
            text: as for `log_likelihood`.
            y: not used; scikit-learn's tools give it.
            encoding: of files.

        Raises:
            DataError: where the text is empty.
            TypeError, ValueError, OSError: as `log_likelihood`.
        """
        total, count = 0.0, 0
        for document in text if isinstance(text, (list, tuple)) else [text]:
            for part in self._check_fitted().log_likelihoods(document, encoding):
                total, count = total + float(part.sum()), count + len(part)
        if not count:
            raise DataError("text is empty: there is nothing to score")
        return total / count

    def tokens_of(
        self, text: Any, *, most: int | None = None, encoding: str = "utf-8"
    ) -> list[Any]:
        """Return the tokens of a text as they are in it: what `log_likelihood` has numbers for.

        Args:
            text: a str or the path of a file.
            most: how many at most; None for all.
            encoding: of a file.

        Raises:
            TypeError, ValueError, OSError: before ``fit``, and where the text can't be read.
        """
        found: list[Any] = []
        for piece in pieces(text, self._check_fitted().tokens.level, encoding):
            found += cut(piece.text, self._check_fitted().tokens.level)
            if most is not None and len(found) >= most:
                break
        return found[:most]

    def embed(self, text: Any) -> np.ndarray:
        """Return the state after a text as numbers that stand for it.

        Args:
            text: a str, or a list of them.

        Returns:
            float32 ``(units * layers,)``, the outputs of all recurrent layers after the last token;
            for a list ``(texts, units * layers)``.

        Raises:
            TypeError, ValueError: before ``fit``, and where it's no text.
        """
        learned = self._check_fitted()
        many = isinstance(text, (list, tuple))
        numbers = [learned.tokens.encode(one) for one in (text if many else [text])]
        width = learned.plan.units * learned.plan.layers
        if not numbers:
            return np.zeros((0, width), np.float32)
        states = [arrays[0] for arrays in learned.passes.states(numbers)]
        found = np.concatenate(states, axis=1)
        return found if many else found[0]
