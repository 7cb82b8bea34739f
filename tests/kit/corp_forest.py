"""A forest that tests share: always the same plan, and a database that holds it."""

import hashlib
from functools import cache
from ipaddress import ip_address
from typing import Final

from addc.base.clock import FileTime
from addc.base.secret import Secret
from addc.directory.api import Directory, Services
from addc.provision.answers import DEFAULT_SITE, Answers
from addc.provision.forest import create_forest, secret_attributes
from addc.provision.plan import ForestPlan, make_plan
from addc.schema.loader import load_base
from addc.store.engine import Store

NOW: Final = FileTime(134_000_000_000_000_000)
DOMAIN_DN: Final = "DC=corp,DC=example,DC=com"
CONFIG_DN: Final = f"CN=Configuration,{DOMAIN_DN}"
ADMIN_PASSWORD: Final = "Corr3ct.Horse"
STORE_KEY: Final = Secret(bytes(range(32)))

ANSWERS: Final = Answers(
    realm="CORP.EXAMPLE.COM",
    dns_domain="corp.example.com",
    netbios="CORP",
    host="dc1",
    site=DEFAULT_SITE,
    addresses=(ip_address("192.0.2.10"), ip_address("2001:db8::10")),
    admin_password=Secret.of_text(ADMIN_PASSWORD),
)


class CountingRng:
    """Bytes that look random and are the same in every run."""

    def __init__(self, seed: bytes = b"") -> None:
        self._seed = seed
        self._drawn = 0

    def bytes(self, size: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(self._seed + self._drawn.to_bytes(8, "big")).digest(size)


class StandingClock:
    """A clock that shows what it was set to."""

    def __init__(self, when: FileTime = NOW) -> None:
        self.when = when

    def now(self) -> FileTime:
        return self.when


@cache
def corp_plan() -> ForestPlan:
    """The plan of CORP.EXAMPLE.COM."""
    return make_plan(ANSWERS, CountingRng(), NOW)


def create_corp(url: str, clock: StandingClock | None = None) -> Directory:
    """CORP.EXAMPLE.COM in an empty database, at NOW; closing the directory closes its store."""
    schema = load_base()
    store = Store.create(url, STORE_KEY, secret_attributes(schema))
    create_forest(store, schema, corp_plan(), NOW, CountingRng(b"forest"))
    return Directory(store, schema, Services(clock or StandingClock(), CountingRng(b"directory")))
