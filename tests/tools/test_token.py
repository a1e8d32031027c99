import subprocess
from datetime import UTC, datetime
from uuid import UUID

import jwt
import pytest

from servicekit.auth.tokens import Caller, Scope, TokenVerifier
from tests.support.scripts import TIMEOUT_S
from tools import token
from tools.config.paths import ROOT, DataPaths
from tools.data import init

USER = "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11"


@pytest.mark.parametrize(
    ("arguments", "caller"),
    [
        (["--scope", "admin"], Caller(frozenset({Scope.ADMIN, Scope.SERVICE}), None)),
        (["--scope", "service"], Caller(frozenset({Scope.SERVICE}), None)),
        (["--scope", "player", "--user", USER], Caller(frozenset({Scope.PLAYER}), UUID(USER))),
    ],
    ids=["admin", "service", "player"],
)
def test_token_is_printed_that_the_services_take(
    unmade: DataPaths, capsys: pytest.CaptureFixture[str], arguments: list[str], caller: Caller
) -> None:
    init.main([])
    capsys.readouterr()

    assert token.main(arguments) == 0

    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert TokenVerifier(unmade.public_key).verify(printed.strip()) == caller


@pytest.mark.parametrize(("arguments", "seconds"), [([], 3600), (["--lifetime-s", "60"], 60)])
def test_it_lasts_as_long_as_it_should(
    unmade: DataPaths, capsys: pytest.CaptureFixture[str], arguments: list[str], seconds: int
) -> None:
    init.main([])
    capsys.readouterr()
    token.main(["--scope", "admin", *arguments])
    claims = jwt.decode(capsys.readouterr().out.strip(), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == seconds
    assert abs(claims["iat"] - datetime.now(UTC).timestamp()) < TIMEOUT_S


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "required: --scope"),
        (["--scope", "root"], "invalid"),
        (["--scope", "player"], "--user is required for --scope player"),
        (["--scope", "admin", "--user", USER], "--user is required for --scope player"),
        (["--scope", "service", "--user", USER], "--user is required for --scope player"),
        (["--scope", "player", "--user", "ada"], "'ada' is not a UUID"),
        (["--scope", "admin", "--lifetime-s", "0"], "'0' is not a whole number from 1 to 315360000"),
        (["--scope", "admin", "--lifetime-s", "-1"], "not a whole number"),
        (["--scope", "admin", "--lifetime-s", "315360001"], "not a whole number"),
        (["--scope", "admin", "--lifetime-s", "1e3"], "not a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as end:
        token.main(arguments)
    assert end.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert sentence in output.err


@pytest.mark.usefixtures("unmade")
def test_without_keys_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"tokens\.key, .*bin/init"):
        token.main(["--scope", "admin"])
    assert capsys.readouterr().out == ""


def test_script_prints_the_token_and_nothing_else(unmade: DataPaths) -> None:
    init.main([])
    result = subprocess.run(
        [ROOT / "bin" / "token", "--scope", "admin"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert TokenVerifier(unmade.public_key).verify(result.stdout.strip()) == Caller(
        frozenset({Scope.ADMIN, Scope.SERVICE}), None
    )
