"""The rules of the game: pure functions and values, without I/O."""
