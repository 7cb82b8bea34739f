"""Kerberos keys of accounts, asked of a data folder by name: for foreign tests that would fetch them by RPC.

`python -m tests.kit.account_keys DATA_DIR` reads a DN a line and answers each with a line of JSON:
{"23": hex, "17": hex, ...} of the present password, or {} for who has none. Of a line `reveal DN<tab>DN` the
second DN is a read-only DC's: msDS-RevealedUsers tells from then on that it got the secrets of the first.
"""

import json
import sys
from functools import partial
from pathlib import Path

from addc.base.errors import AddcError
from addc.directory import names, passwords
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.kit.revealed import reveal

_REVEAL = "reveal "


def keys_of(ctx: ReadContext, *, dn: str) -> dict[str, str]:
    """The present keys of the account at `dn`, in hexadecimal, by encryption type."""
    found = passwords.keys_of(ctx, names.resolve(ctx, dn))
    return {str(int(key.etype)): key.value.hex() for key in found.current.keys}


def _answer(directory: Directory, line: str) -> dict[str, str]:
    if line.startswith(_REVEAL):
        user, _, rodc = line.removeprefix(_REVEAL).partition("\t")
        directory.write_now("reveal", SYSTEM, partial(reveal, rodc=rodc, user=user))
        return {}
    return directory.read_now("keys", SYSTEM, partial(keys_of, dn=line))


def main() -> None:
    """Answer until the input ends."""
    directory = open_directory(Path(sys.argv[1]))
    try:
        for line in sys.stdin:
            try:
                answer = _answer(directory, line.strip())
            except AddcError as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    finally:
        directory.close()


if __name__ == "__main__":
    main()
