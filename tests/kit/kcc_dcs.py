"""Puts DCs into a forest's configuration, as a join would: a program, run beside the forest's server.

python -m tests.kit.kcc_dcs DATA_DIR SITE/NAME...
"""

import sys
from functools import partial
from pathlib import Path
from uuid import uuid4

from addc.directory.add import add_object
from addc.directory.context import WriteContext
from addc.security.token import SYSTEM
from addc.server.offline import open_directory


def add_dc(ctx: WriteContext, place: str) -> None:
    """A server and its nTDSDSA object: a GC of the forest's one domain that holds all that it should."""
    site, _, name = place.partition("/")
    forest = ctx.forest
    server = f"CN={name},CN=Servers,CN={site},CN=Sites,{forest.config_dn}"
    host = f"{name.lower()}.{forest.dns_domain}".encode()
    add_object(ctx, server, [("objectClass", [b"server"]), ("dNSHostName", [host])])
    ncs = [forest.domain_dn.encode(), forest.config_dn.encode(), forest.schema_dn.encode()]
    values = [
        ("objectClass", [b"nTDSDSA"]),
        ("hasMasterNCs", ncs),
        ("msDS-hasMasterNCs", ncs),
        ("msDS-HasDomainNCs", ncs[:1]),
        ("msDS-Behavior-Version", [b"7"]),
        ("options", [b"1"]),
        ("invocationId", [uuid4().bytes]),
    ]
    add_object(ctx, f"CN=NTDS Settings,{server}", values)


def main() -> None:
    directory = open_directory(Path(sys.argv[1]))
    try:
        for word in sys.argv[2:]:
            directory.write_now("join", SYSTEM, partial(add_dc, place=word))
    finally:
        directory.close()


if __name__ == "__main__":
    main()
