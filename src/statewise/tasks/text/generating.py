"""What a fitted `TextGenerator` writes."""

from collections.abc import Iterator
from typing import Any

from statewise._runtime.forks import check_not_forked
from statewise.sequences.arrays import check_count
from statewise.tasks.text.drawing import checked
from statewise.tasks.text.fitted import Fitted
from statewise.tasks.text.writing import stops_of, written


class Generating(Fitted):
    """What writes texts; a base of `TextGenerator`."""

    def generate(
        self,
        prompt: Any = "",
        length: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Any = None,
        seed: int | None = None,
    ) -> Any:
        """Write what follows a prompt: warm-up over it, then closed loop.

        Args:
            prompt: the text before; or a list of them, which are continued beside each other.
                Empty for the begin of a document.
            length: how many tokens to write at most.
            temperature: 0 takes the likeliest token, 1 draws by the probabilities, more is bolder.
            top_k: of how many likeliest tokens one is drawn.
            top_p: of the fewest likeliest whose probabilities sum up to this one is drawn.
            stop: a text, or several, at which to end; it's left out.
            seed: of the draws; None draws others in every call. The first of several prompts gets
                what it would get alone.

        Returns:
            What was written, without the prompt: a str (at the level "bytes" bytes), for several
            prompts a list. The unknown token is never drawn.

        Raises:
            TypeError, ValueError: before ``fit``, and where an argument makes no sense.
        """
        many = isinstance(prompt, (list, tuple))
        options = (length, temperature, top_k, top_p, stop, seed)
        texts = list(zip(*self._written(prompt if many else [prompt], *options), strict=True))
        joined = [self._learned.tokens.decode([])[:0].join(parts) for parts in texts]
        return joined if many else joined[0]

    def stream(
        self,
        prompt: Any = "",
        length: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Any = None,
        seed: int | None = None,
    ) -> Iterator[Any]:
        """Give an iterator over what `generate` returns for one prompt, as it's written.

        Args:
            prompt: a str, or bytes at that level.
            length, temperature, top_k, top_p, stop, seed: as for `generate`.

        Raises:
            TypeError, ValueError: as `generate`, at once.
        """
        if isinstance(prompt, (list, tuple)):
            raise TypeError("prompt must be one text; generate takes several")
        rows = self._written([prompt], length, temperature, top_k, top_p, stop, seed)
        return (row[0] for row in rows if row[0])

    def _written(self, prompts, length, temperature, top_k, top_p, stop, seed):
        """Return an iterator over what is written, once all arguments are known to be right."""
        check_not_forked()
        learned = self._check_fitted()
        if not prompts:
            raise ValueError("prompt is an empty list: give at least one text, which may be empty")
        tokens = learned.tokens
        drawing = checked(temperature, top_k, top_p, tokens.never_drawn)
        if seed is not None:
            seed = check_count(seed, "seed", 0)
        return written(
            learned.loop,
            tokens,
            [tokens.encode(prompt) for prompt in prompts],
            length=check_count(length, "length"),
            drawing=drawing,
            stops=stops_of(stop, tokens.level),
            seed=seed,
        )
