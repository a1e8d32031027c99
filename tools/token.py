"""bin/token: issues a token for the operator."""

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicekit.auth.tokens import SCOPE_DESCRIPTIONS, Scope
from servicekit.problems import Problem
from tools.config.paths import ROOT, read_data_paths
from tools.script import run_script
from tools.wording import HelpFormatter
from users.token_issuer import TokenIssuer

HELP = """Prints a token, and nothing else:  curl -H "Authorization: Bearer $(bin/token --scope admin)" ...

Its bearer may do what its scope says until it expires. It cannot be revoked by itself: only new keys revoke it, and all
other tokens with it (stop the suite, run bin/init --new-keys, and start it again)."""
MAX_LIFETIME_S = 10 * 365 * 86_400


def parse_lifetime(text: str) -> timedelta:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= MAX_LIFETIME_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_LIFETIME_S}")
    return timedelta(seconds=number)


def parse_user(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a UUID") from None


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bin/token", description=HELP, formatter_class=HelpFormatter)
    scopes = "; ".join(f"{scope}: {text}" for scope, text in SCOPE_DESCRIPTIONS.items())
    parser.add_argument("--scope", type=Scope, choices=list(Scope), required=True, help=scopes)
    parser.add_argument("--user", type=parse_user, metavar="UUID", help="the player; only for the scope player")
    parser.add_argument(
        "--lifetime-s",
        type=parse_lifetime,
        default="3600",
        metavar="N",
        help="seconds until it expires, at most ten years; the default is 3600, an hour",
    )
    arguments = parser.parse_args(argv)
    if (arguments.scope is Scope.PLAYER) != (arguments.user is not None):
        parser.error("--user is required for --scope player, and for no other scope")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    os.chdir(ROOT)
    token_issuer = TokenIssuer(read_data_paths().private_key)
    try:
        token = token_issuer.issue(
            scope=arguments.scope, user_id=arguments.user, now=datetime.now(UTC), lifetime=arguments.lifetime_s
        )
    except Problem as problem:
        raise SystemExit(f"{problem.detail} bin/init creates a missing key.") from problem
    print(token)
    return 0


if __name__ == "__main__":
    run_script(main)
