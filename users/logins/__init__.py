"""Logging in: passwords, and the limits on failures."""
