"""The texts of scripts: help filled to the width of the terminal, and numbers with their nouns."""

import argparse


class HelpFormatter(argparse.HelpFormatter):
    """Fills each paragraph of a description separately."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.strip().split("\n\n")
        return "\n\n".join(super(HelpFormatter, self)._fill_text(each, width, indent) for each in paragraphs)


class DefaultsHelpFormatter(HelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Adds the default of each option."""


def count(number: int, noun: str) -> str:
    """`1 player`, `1,000 players`; for nouns with a plural in -s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
