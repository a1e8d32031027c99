"""Hard mode: what is known to be right, and a naive oracle for everything else."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.colours import LetterState, colour_guess
from games.hardmode import find_unused_hint

# few letters, so that they repeat
words = st.text("abc", min_size=5, max_size=5) | st.text("abcdefgh", min_size=5, max_size=5)


def colour_all(guesses: Sequence[str], answer: str) -> list[tuple[str, list[LetterState]]]:
    return [(guess, colour_guess(guess, answer)) for guess in guesses]


@pytest.mark.parametrize(
    ("answer", "earlier", "guess", "hint"),
    [
        ("ahead", [], "crane", None),
        ("ahead", ["abbey"], "crane", "the first letter must be a"),
        ("ahead", ["abbey"], "allow", "the guess must have the letter e"),
        ("ahead", ["abbey"], "aisle", None),  # the e was present in the fourth place, the hint is used anywhere
        ("ahead", ["abbey"], "abbey", None),  # no hint forbids what is known to be wrong
        ("ahead", ["zebra"], "crane", None),
        ("ahead", ["zebra", "abbey"], "eland", "the first letter must be a"),
        ("ahead", ["panda"], "stand", "the guess must have the letter a 2 times"),
        ("geese", ["eerie"], "reset", "the fifth letter must be e"),
        ("geese", ["eerie"], "where", "the second letter must be e"),
        ("geese", ["eerie"], "belle", "the guess must have the letter e 3 times"),
        ("geese", ["eerie"], "geese", None),
        ("abide", ["speed"], "ahead", None),  # of the two e of speed only one is in the answer
        ("ahead", ["crane", "doped"], "oared", None),  # each hint of both, though the letters are in other places
    ],
)
def test_a_hint_that_is_not_used_is_named(answer: str, earlier: list[str], guess: str, hint: str | None) -> None:
    assert find_unused_hint(colour_all(earlier, answer), guess) == hint


def uses_all_hints(coloured: Sequence[tuple[str, Sequence[LetterState]]], guess: str) -> bool:
    """By striking letters out of a list, as one would on paper."""
    for earlier, states in coloured:
        left = list(guess)
        for place in range(5):
            if states[place] is LetterState.CORRECT and guess[place] != earlier[place]:
                return False
            if states[place] is not LetterState.ABSENT:
                if earlier[place] not in left:
                    return False
                left.remove(earlier[place])
    return True


@given(words, st.lists(words, max_size=5), words)
def test_hard_mode_equals_the_naive_oracle(answer: str, earlier: list[str], guess: str) -> None:
    coloured = colour_all(earlier, answer)
    assert (find_unused_hint(coloured, guess) is None) == uses_all_hints(coloured, guess)


@given(words, st.lists(words, max_size=5))
def test_the_answer_itself_is_always_allowed(answer: str, earlier: list[str]) -> None:
    assert find_unused_hint(colour_all(earlier, answer), answer) is None


@given(words, st.lists(words, max_size=3), words)
def test_what_could_still_be_the_answer_is_allowed(answer: str, earlier: list[str], guess: str) -> None:
    coloured = colour_all(earlier, answer)
    if coloured == colour_all(earlier, guess):
        assert find_unused_hint(coloured, guess) is None
