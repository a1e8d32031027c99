"""Hard mode: every hint must be used in every later guess."""

from collections import Counter
from collections.abc import Iterable, Sequence

from games.rules.colours import LetterState

PLACES = ("first", "second", "third", "fourth", "fifth")


def find_unused_hint(coloured: Sequence[tuple[str, Sequence[LetterState]]], guess: str) -> str | None:
    """What the guess leaves unused of what earlier guesses and their colours have shown, in words; None if nothing."""
    for earlier, states in coloured:
        for place, (letter, state) in enumerate(zip(earlier, states, strict=True)):
            if state is LetterState.CORRECT and guess[place] != letter:
                return f"the {PLACES[place]} letter must be {letter}"
    for letter, count in sorted(count_known(coloured).items()):
        if guess.count(letter) < count:
            return f"the guess must have the letter {letter}" + (f" {count} times" if count > 1 else "")
    return None


def count_known(coloured: Iterable[tuple[str, Sequence[LetterState]]]) -> Counter[str]:
    """How often the answer has each letter at least, as one guess alone has shown."""
    known: Counter[str] = Counter()
    for guess, states in coloured:
        pairs = zip(guess, states, strict=True)
        known |= Counter(letter for letter, state in pairs if state is not LetterState.ABSENT)
    return known
