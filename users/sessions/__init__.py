"""Sessions: a browser that stays signed in."""
