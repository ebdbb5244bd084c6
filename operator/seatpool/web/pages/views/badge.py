"""The state of something in one word, with a sign and a tone, so that no state is told by colour alone."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How a state is to be taken."""

    GOOD = "good"
    WAIT = "wait"
    BAD = "bad"
    QUIET = "quiet"


SIGNS = {Tone.GOOD: "●", Tone.WAIT: "◐", Tone.BAD: "▲", Tone.QUIET: "○"}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word or two."""

    tone: Tone
    text: str

    @property
    def sign(self) -> str:
        """Returns the sign of the tone."""
        return SIGNS[self.tone]
