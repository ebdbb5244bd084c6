"""Draws what every answer says first: whether the operator is alive, and where the answer was looked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatpool.explain.operator_life import Life, OperatorLife
from seatpool.terminal.say import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from seatpool.terminal.output import Output

LIFE_STYLES = {Life.ALIVE: "dim", Life.NOT_KNOWN: "magenta", Life.LATE: "red", Life.STOPPED: "red"}


@dataclass(frozen=True, slots=True)
class Heading:
    """The first lines of an answer."""

    lives: tuple[OperatorLife, ...]
    where: str

    @property
    def is_well(self) -> bool:
        return all(life.is_well for life in self.lives)

    def write(
        self,
        answer: object,
        *,
        output: "Output",
        screen: "Callable[[Console, bool], object]",
        again: bool = False,
        headers: bool = True,
    ) -> None:
        """Prints an answer after the first lines. Programs get the answer alone, and warnings on standard error.

        `again`: the answer is repeated. Of the first lines only that of an operator that is not well is printed again.
        """
        from seatpool.terminal.output import write

        def drawn(console: "Console", wide: bool) -> None:
            for life in self.lives:
                if again and life.is_well:
                    continue
                console.print(life.text, style=LIFE_STYLES[life.life], markup=False)
            if not again:
                console.print(f"Looked at {self.where}.", style="dim", markup=False)
            screen(console, wide)

        if not output.is_for_people:
            for life in self.lives:
                if life.life is not Life.ALIVE:
                    warn(life.text)
        write(answer, output=output, screen=drawn, headers=headers)
