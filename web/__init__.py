"""The page to play on: HTML, CSS and ES modules as files, and the small service that serves them."""
