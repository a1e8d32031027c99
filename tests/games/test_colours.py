"""Colouring of guesses: known examples, and a comparison with a naive oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.rules.colours import colour_guess

# few distinct letters, so that repeats are common
words = st.text("abc", min_size=5, max_size=5) | st.text("abcdefgh", min_size=5, max_size=5)


def colours(guess: str, answer: str) -> str:
    """One character per letter: c (correct), p (present) or a (absent)."""
    return "".join(state.value[0] for state in colour_guess(guess, answer))


@pytest.mark.parametrize(
    ("guess", "answer", "expected"),
    [
        ("doped", "ahead", "aaapc"),  # of the two d, the last is in its place and uses up the only one
        ("crane", "crane", "ccccc"),
        ("abbey", "zebra", "pacpa"),  # two b, and zebra's only one is in the place of the second
        ("geese", "eerie", "acpac"),  # three e each: two in their places, one elsewhere
        ("eerie", "geese", "pcaac"),
        ("speed", "abide", "aapap"),  # the first e uses up the only one
        ("daddy", "adder", "ppcaa"),
        ("zzzzz", "crane", "aaaaa"),
        ("allay", "llama", "pcppa"),
    ],
)
def test_repeated_letters_are_coloured_as_in_the_examples(guess: str, answer: str, expected: str) -> None:
    assert colours(guess, answer) == expected


def naive_colours(guess: str, answer: str) -> str:
    """Reference implementation: strikes letters out of a list, as on paper."""
    left: list[str | None] = list(answer)
    result = ["a"] * 5
    for place in range(5):
        if guess[place] == answer[place]:
            result[place] = "c"
            left[place] = None
    for place in range(5):
        if result[place] != "c" and guess[place] in left:
            result[place] = "p"
            left[left.index(guess[place])] = None
    return "".join(result)


@given(words, words)
def test_colours_match_the_naive_oracle(guess: str, answer: str) -> None:
    assert colours(guess, answer) == naive_colours(guess, answer)


@given(words, words)
def test_letter_is_coloured_at_most_as_often_as_in_the_answer(guess: str, answer: str) -> None:
    coloured = [letter for letter, state in zip(guess, colours(guess, answer), strict=True) if state != "a"]
    for letter in set(guess):
        assert coloured.count(letter) == min(guess.count(letter), answer.count(letter))
