"""How a guess is coloured."""

from collections import Counter
from enum import StrEnum


class LetterState(StrEnum):
    """What a guess tells about one of its letters."""

    CORRECT = "correct"
    """The letter is in its place."""
    PRESENT = "present"
    """The answer has the letter in another place, and no earlier letter of the guess has used it up."""
    ABSENT = "absent"
    """The answer has no such letter to give any more."""


def colour_guess(guess: str, answer: str) -> list[LetterState]:
    """A state for each letter of the guess, which is as long as the answer.

    In two passes, since letters repeat: a letter in its place takes its letter out of the answer before any other
    letter, from the left, may ask for it.
    """
    left = Counter(wanted for letter, wanted in zip(guess, answer, strict=True) if letter != wanted)
    states = []
    for letter, wanted in zip(guess, answer, strict=True):
        if letter == wanted:
            states.append(LetterState.CORRECT)
        elif left[letter] > 0:
            left[letter] -= 1
            states.append(LetterState.PRESENT)
        else:
            states.append(LetterState.ABSENT)
    return states
