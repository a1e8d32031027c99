"""How a guess and an answer are spelt: five letters a-z. Upper case is taken as lower."""

import re

LETTERS = 5
WORD = re.compile("[A-Za-z]{5}")


def to_word(text: str) -> str:
    """In lower case; raises ValueError with a sentence if it is not five letters a-z.

    Whether it is in the dictionary is the words service's to say.
    """
    # Checked before it is lowered: Python lowers the Kelvin sign to the letter k.
    if not WORD.fullmatch(text):
        raise ValueError("a word is five letters a-z, without accents")
    return text.lower()
