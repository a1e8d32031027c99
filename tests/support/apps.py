"""An app of each service with default settings, for its routes and its OpenAPI document; none is started."""

import games.app
import games.settings
import stats.app
import stats.settings
import users.app
import users.settings
import web.app
import web.settings
import words.app
import words.settings

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW")
FRAMEWORK_PATHS = {
    "/docs",
    "/health",
    "/live",
    "/metrics",
    "/openapi.json",
}
"""Of every service, besides those of its own router."""

APPS = {
    "users": users.app.create_app(users.settings.Settings(_env_file=None)),
    "words": words.app.create_app(words.settings.Settings(_env_file=None)),
    "games": games.app.create_app(games.settings.Settings(_env_file=None)),
    "stats": stats.app.create_app(stats.settings.Settings(_env_file=None)),
    "web": web.app.create_app(web.settings.Settings(_env_file=None)),
}
