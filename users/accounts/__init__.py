"""Accounts: registration, names, a new password, and the end of one."""
