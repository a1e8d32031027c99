"""The dictionary: which words may be guessed."""
