"""The puzzles, one a day, and the plays of the players."""
