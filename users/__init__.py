"""Who plays: ids and names."""
