"""Results, statistics and leaderboards: one user's games are all in one of the shards."""
