import re
from pathlib import Path

import pytest

from tools.data.wordlists import (
    answer_words,
    excluded_words,
    five_letter_words,
    is_regular_past,
    is_regular_plural,
    is_roman_numeral,
    main,
    write_lists,
)

SHARE = Path(__file__).resolve().parents[3] / "share"


def lines_of(name: str) -> list[str]:
    return (SHARE / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["words.txt", "answers.txt"])
def test_list_holds_only_words_of_five_lowercase_letters(name: str) -> None:
    assert [line for line in lines_of(name) if not re.fullmatch("[a-z]{5}", line)] == []


@pytest.mark.parametrize("name", ["words.txt", "answers.txt"])
def test_list_is_sorted_and_holds_no_word_twice(name: str) -> None:
    lines = lines_of(name)
    assert lines == sorted(set(lines))


def test_there_are_at_least_two_thousand_answers() -> None:
    assert len(lines_of("answers.txt")) >= 2000


def test_every_answer_is_in_the_dictionary() -> None:
    assert set(lines_of("answers.txt")) <= set(lines_of("words.txt"))


def test_no_excluded_word_is_an_answer() -> None:
    excluded = excluded_words("\n".join(lines_of("excluded-answers.txt")))
    assert excluded & set(lines_of("answers.txt")) == set()


def test_every_excluded_word_is_in_the_dictionary() -> None:
    excluded = excluded_words("\n".join(lines_of("excluded-answers.txt")))
    assert excluded - set(lines_of("words.txt")) == set()


def test_inflected_words_in_s_and_ed_are_no_answers() -> None:
    answers = set(lines_of("answers.txt"))
    assert {"glass", "focus", "basis", "chaos", "breed", "speed", "embed", "yours", "moped"} <= answers
    assert answers & {"trees", "boxes", "elves", "leans", "hoped", "cried", "upped", "spoke", "froze"} == set()


def test_words_are_sorted_unique_and_of_five_letters_a_to_z() -> None:
    text = "train\napple\nApril\nNASAs\nblasé\ncat's\nit\nplanet\napple\n"
    assert five_letter_words(text) == ["apple", "train"]


def test_comments_and_blank_lines_exclude_nothing() -> None:
    assert excluded_words("# reason\nspoke\n\n# other reason\nxviii\n") == {"spoke", "xviii"}


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("trees", "tree"),
        ("boxes", "box"),
        ("spies", "spy"),
        ("elves", "elf"),
        ("wives", "wife"),
        ("kiwis", "kiwi"),
    ],
)
def test_word_in_s_with_a_stem_in_the_dictionary_is_a_plural(word: str, stem: str) -> None:
    assert is_regular_plural(word, {stem})


@pytest.mark.parametrize("word", ["glass", "bonus", "focus", "basis", "chaos", "atlas", "brass", "geese"])
def test_word_in_s_without_a_stem_is_no_plural(word: str) -> None:
    assert not is_regular_plural(word, {word, "bras", "goose", "bone", "base"})


@pytest.mark.parametrize(
    ("word", "stem"),
    [("added", "add"), ("hoped", "hope"), ("cried", "cry"), ("agreed", "agree"), ("upped", "up")],
)
def test_word_in_ed_is_a_past_if_its_stem_is_in_the_dictionary(word: str, stem: str) -> None:
    assert is_regular_past(word, {stem})


@pytest.mark.parametrize("word", ["bleed", "breed", "speed", "embed", "naked", "sacred", "shred", "spoke"])
def test_word_in_ed_without_a_stem_is_no_past(word: str) -> None:
    assert not is_regular_past(word, {word, "bed", "speak", "snake", "shed"})


def test_answers_are_neither_inflected_nor_excluded() -> None:
    small = "chaos\nlean\nleans\nlove\nloved\nmope\nmoped\nspoke\ntrain\n"
    assert answer_words(small, {"spoke"}) == ["chaos", "moped", "train"]


def test_both_lists_are_written_and_every_answer_is_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "huge").write_text("zebra\naalii\nZürich\n", encoding="utf-8")
    (tmp_path / "small").write_text("train\nspoke\nzebra\n", encoding="utf-8")
    (tmp_path / "excluded-answers.txt").write_text("# past\nspoke\n", encoding="utf-8")
    arguments = [
        "--huge",
        str(tmp_path / "huge"),
        "--small",
        str(tmp_path / "small"),
        "--share",
        str(tmp_path),
    ]

    assert main(arguments) == 0

    assert (tmp_path / "words.txt").read_bytes() == b"aalii\ntrain\nzebra\n"
    assert (tmp_path / "answers.txt").read_bytes() == b"train\nzebra\n"
    assert capsys.readouterr().out == "3 words, 2 answers, 1 excluded by hand\n"


@pytest.mark.parametrize("missing", ["huge", "small"])
def test_missing_source_list_names_the_packages_to_install(missing: str, tmp_path: Path) -> None:
    for name in {"huge", "small"} - {missing}:
        (tmp_path / name).write_text("train\n", encoding="utf-8")
    arguments = [
        "--huge",
        str(tmp_path / "huge"),
        "--small",
        str(tmp_path / "small"),
        "--share",
        str(tmp_path),
    ]

    with pytest.raises(SystemExit, match=f"^{tmp_path / missing} is missing: apt-get install wamerican-huge"):
        main(arguments)

    assert not (tmp_path / "words.txt").exists()


def test_missing_exclusions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("train\n", encoding="utf-8")
    source = str(tmp_path / "list")

    with pytest.raises(SystemExit, match=r"excluded-answers\.txt is missing"):
        main(["--huge", source, "--small", source, "--share", str(tmp_path)])


def test_list_that_cannot_be_written_leaves_both_as_they_were(tmp_path: Path) -> None:
    words, answers = tmp_path / "words.txt", tmp_path / "answers.txt"
    words.write_text("train\n", encoding="utf-8")

    with pytest.raises(UnicodeEncodeError):
        write_lists({words: ["zebra"], answers: ["\udcff"]})

    assert [path.name for path in tmp_path.iterdir()] == ["words.txt"]
    assert words.read_text(encoding="utf-8") == "train\n"


@pytest.mark.parametrize("word", ["xviii", "clvii", "mcmxc", "lxxxi"])
def test_roman_numeral_is_no_word(word: str) -> None:
    assert is_roman_numeral(word)
    assert word not in lines_of("words.txt")


@pytest.mark.parametrize("word", ["civic", "vivid", "livid", "mimic", "civil", "mixed"])
def test_word_of_the_letters_of_numerals_is_a_word(word: str) -> None:
    assert not is_roman_numeral(word)
    assert word in lines_of("words.txt")
