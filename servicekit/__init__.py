"""What at least two services need and that knows nothing of the game."""
