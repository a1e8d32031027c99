"""The puzzles: one a day, whose answer nobody may see before it is solved."""
