"""Hard mode: known examples, and a comparison with a naive oracle."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.rules.colours import LetterState, colour_guess
from games.rules.hardmode import find_unused_hint

# few distinct letters, so that repeats are common
words = st.text("abc", min_size=5, max_size=5) | st.text("abcdefgh", min_size=5, max_size=5)


def colour_all(guesses: Sequence[str], answer: str) -> list[tuple[str, list[LetterState]]]:
    return [(guess, colour_guess(guess, answer)) for guess in guesses]


@pytest.mark.parametrize(
    ("answer", "earlier", "guess", "hint"),
    [
        ("ahead", [], "crane", None),
        ("ahead", ["abbey"], "crane", "the first letter must be a"),
        ("ahead", ["abbey"], "allow", "the guess must have the letter e"),
        ("ahead", ["abbey"], "aisle", None),  # a present letter (e) may be used in any place
        ("ahead", ["abbey"], "abbey", None),  # letters known to be absent may be used again
        ("ahead", ["zebra"], "crane", None),
        ("ahead", ["zebra", "abbey"], "eland", "the first letter must be a"),
        ("ahead", ["panda"], "stand", "the guess must have the letter a 2 times"),
        ("geese", ["eerie"], "reset", "the fifth letter must be e"),
        ("geese", ["eerie"], "where", "the second letter must be e"),
        ("geese", ["eerie"], "belle", "the guess must have the letter e 3 times"),
        ("geese", ["eerie"], "geese", None),
        ("abide", ["speed"], "ahead", None),  # of the two e of speed only one is in the answer
        ("ahead", ["crane", "doped"], "oared", None),  # uses the hints of both guesses, with letters in other places
    ],
)
def test_first_unused_hint_is_named(answer: str, earlier: list[str], guess: str, hint: str | None) -> None:
    assert find_unused_hint(colour_all(earlier, answer), guess) == hint


def uses_all_hints(coloured: Sequence[tuple[str, Sequence[LetterState]]], guess: str) -> bool:
    """Reference implementation: strikes letters out of a list, as on paper."""
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
def test_hard_mode_matches_the_naive_oracle(answer: str, earlier: list[str], guess: str) -> None:
    coloured = colour_all(earlier, answer)
    assert (find_unused_hint(coloured, guess) is None) == uses_all_hints(coloured, guess)


@given(words, st.lists(words, max_size=5))
def test_answer_is_always_allowed(answer: str, earlier: list[str]) -> None:
    assert find_unused_hint(colour_all(earlier, answer), answer) is None


@given(words, st.lists(words, max_size=3), words)
def test_guess_consistent_with_all_colours_is_allowed(answer: str, earlier: list[str], guess: str) -> None:
    coloured = colour_all(earlier, answer)
    if coloured == colour_all(earlier, guess):
        assert find_unused_hint(coloured, guess) is None
