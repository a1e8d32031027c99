"""The version of Quintet, as in pyproject.toml."""

VERSION = "1.0.0"
