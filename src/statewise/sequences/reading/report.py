"""What was understood of a table: the facts on the way from a file to its numbers, and notes."""

import warnings
from dataclasses import dataclass, field

from statewise._callers import level_of_caller

TOPICS = (
    "file",
    "encoding",
    "delimiter",
    "header",
    "decimal",
    "thousands",
    "units",
    "time",
    "zone",
    "order",
    "layout",
    "frequency",
    "repeated",
    "gaps",
    "missing",
)


@dataclass
class Understood:
    """What was understood of a table, told as it is found out.

    Attributes:
        facts: words by topic, such as "semicolons" for "delimiter". What goes without saying
            (UTF-8, a decimal point) is not told.
        notes: sentences about what was decided although it could have been otherwise, each with
            the way to say otherwise.

    Example:
        >>> understood = Understood()
        >>> understood.tell("time", "dates day.month.year")
        >>> understood.tell("delimiter", "semicolons")
        >>> understood.line()
        'semicolons, dates day.month.year'
    """

    facts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def tell(self, topic: str, words: str) -> None:
        """Add words to a topic; what was said already is not said twice.

        Raises:
            ValueError: where there is no such topic.
        """
        if topic not in TOPICS:
            raise ValueError(f"topic={topic!r}: it must be one of {', '.join(TOPICS)}")
        said = self.facts.get(topic)
        if not words or (said is not None and words in said.split("; ")):
            return
        self.facts[topic] = words if said is None else f"{said}; {words}"

    def note(self, sentence: str) -> None:
        """Add a sentence; once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def line(self) -> str:
        """Return the facts in one line, from the file to its steps; empty where there are none."""
        return ", ".join(self.facts[topic] for topic in TOPICS if topic in self.facts)

    def warn(self) -> None:
        """Give the notes as warnings, to who has no other way to see them."""
        for note in self.notes:
            warnings.warn(note, UserWarning, stacklevel=level_of_caller())
