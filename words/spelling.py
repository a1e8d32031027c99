"""How a word is spelt: five letters a-z. Upper case is taken as lower."""

import re

WORD = re.compile("[A-Za-z]{5}")
PREFIX = re.compile("[A-Za-z]{0,5}")


def to_word(text: str) -> str:
    """In lower case; raises ValueError with a sentence if it is not five letters a-z."""
    # Checked before it is lowered: Python lowers the Kelvin sign to the letter k.
    if not WORD.fullmatch(text):
        raise ValueError("a word is five letters a-z, without accents")
    return text.lower()


def to_prefix(text: str) -> str:
    """In lower case; raises ValueError with a sentence if no word can begin so."""
    if not PREFIX.fullmatch(text):
        raise ValueError("a prefix is at most five letters a-z, without accents")
    return text.lower()
