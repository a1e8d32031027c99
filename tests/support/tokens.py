"""Token keys for tests, and Authorization headers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from servicekit.auth.tokens import Scope
from users.token_issuer import TokenIssuer, make_private_key, make_public_key, write_secret

HOUR = timedelta(hours=1)


class TokenKeys:
    """A key pair in a folder, as bin/init creates it: for a service's settings, and for signing test tokens."""

    def __init__(self, folder: Path) -> None:
        self.private_key_file = folder / "tokens.key"
        self.public_key_file = folder / "tokens.pub"
        write_secret(self.private_key_file, make_private_key())
        self.public_key_file.write_bytes(make_public_key(self.private_key_file))
        self._token_issuer = TokenIssuer(self.private_key_file)

    def token(self, scope: Scope, user_id: UUID | None = None, lifetime: timedelta = HOUR) -> str:
        """A signed token; a negative lifetime gives an expired one."""
        return self._token_issuer.issue(scope=scope, user_id=user_id, now=datetime.now(UTC), lifetime=lifetime)

    def headers(self, scope: Scope, user_id: UUID | None = None, lifetime: timedelta = HOUR) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(scope, user_id, lifetime)}"}
