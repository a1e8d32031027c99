"""The HTTP clients of the services that games calls: words and stats."""
