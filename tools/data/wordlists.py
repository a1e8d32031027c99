"""Regenerates share/words.txt and share/answers.txt from the SCOWL lists in Debian's packages."""

import argparse
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tools.data.atomic_files import staged
from tools.script import run_script
from tools.wording import HelpFormatter

SHARE = Path(__file__).resolve().parents[2] / "share"
HUGE = Path("/usr/share/dict/american-english-huge")
SMALL = Path("/usr/share/dict/american-english-small")

# These look inflected but are words by themselves, which the rules below cannot know.
ORDINARY_WORDS = """
bored dated dazed domed dried faded famed fated fixed fried gated
jaded lined mixed moped noted tired toned tried vexed wired yours
"""
NOT_INFLECTED = frozenset(ORDINARY_WORDS.split())
ROMAN_NUMERAL = re.compile("m*(cm|cd|d?c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")


def is_roman_numeral(word: str) -> bool:
    """Whether it is a number such as "xviii", which SCOWL's huge list contains."""
    return ROMAN_NUMERAL.fullmatch(word) is not None


def five_letter_words(text: str) -> list[str]:
    """The distinct words of five letters a-z in a text with a word on each line, sorted."""
    # Names, abbreviations, possessives and accented words in the lists do not match.
    words = {line for line in text.splitlines() if re.fullmatch("[a-z]{5}", line)}
    return sorted(word for word in words if not is_roman_numeral(word))


def excluded_words(text: str) -> set[str]:
    """The words of a text with a word on each line; a line that starts with `#` is a comment."""
    lines = (line.strip() for line in text.splitlines())
    return {line for line in lines if line and not line.startswith("#")}


def is_regular_plural(word: str, dictionary: Collection[str]) -> bool:
    """Whether the word is the plural or third person in -s of a word in the dictionary."""
    if not word.endswith("s") or word.endswith("ss"):  # "brass" is not the plural of "bras"
        return False
    stems = [word[:-1]]
    if word.endswith("es"):
        stems.append(word[:-2])
    if word.endswith("ies"):
        stems.append(word[:-3] + "y")
    if word.endswith("ves"):
        stems += [word[:-3] + "f", word[:-3] + "fe"]
    return any(stem in dictionary for stem in stems)


def is_regular_past(word: str, dictionary: Collection[str]) -> bool:
    """Whether the word is the past tense in -ed of a word in the dictionary."""
    if not word.endswith("ed"):
        return False
    stems = [word[:-1], word[:-2]]
    if word.endswith("ied"):
        stems.append(word[:-3] + "y")
    if re.search(r"([b-df-hj-np-tv-z])\1ed$", word):  # "upped" of "up"
        stems.append(word[:-3])
    return any(stem in dictionary for stem in stems)


def answer_words(small_text: str, excluded: Collection[str]) -> list[str]:
    # Stems come from the small list too: the huge one has "chao" and "bree", which would exclude "chaos" and "breed".
    dictionary = frozenset(small_text.split())
    return [
        word
        for word in five_letter_words(small_text)
        if word not in excluded
        and (word in NOT_INFLECTED or not (is_regular_plural(word, dictionary) or is_regular_past(word, dictionary)))
    ]


def write_lists(lists: Mapping[Path, Sequence[str]]) -> None:
    """Replaces the files when all new ones are complete."""
    try:
        for path, words in lists.items():
            staged(path).write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
        for path in lists:
            staged(path).rename(path)
    finally:
        for path in lists:
            staged(path).unlink(missing_ok=True)


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bin/wordlists", description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--huge", type=Path, default=HUGE, help="source of the guesses (%(default)s)")
    parser.add_argument("--small", type=Path, default=SMALL, help="source of the answers (%(default)s)")
    parser.add_argument(
        "--share",
        type=Path,
        default=SHARE,
        help="folder with excluded-answers.txt, to which the lists are written (%(default)s)",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    for source in (arguments.huge, arguments.small):
        if not source.is_file():
            raise SystemExit(f"{source} is missing: apt-get install wamerican-huge wamerican-small")
    exclusions = arguments.share / "excluded-answers.txt"
    if not exclusions.is_file():
        raise SystemExit(f"{exclusions} is missing: restore it from the repository, or name its folder with --share.")
    excluded = excluded_words(exclusions.read_text(encoding="utf-8"))
    answers = answer_words(arguments.small.read_text(encoding="utf-8"), excluded)
    # Every answer must be an accepted guess, or its game could not be won.
    words = sorted({*five_letter_words(arguments.huge.read_text(encoding="utf-8")), *answers})
    write_lists({arguments.share / "words.txt": words, arguments.share / "answers.txt": answers})
    print(f"{len(words)} words, {len(answers)} answers, {len(excluded)} excluded by hand")
    return 0


if __name__ == "__main__":
    run_script(main)
