"""A plan that tests look at, always the same."""

import hashlib
from functools import cache
from ipaddress import ip_address
from typing import Final

from addc.base.clock import FileTime
from addc.base.secret import Secret
from addc.provision.answers import DEFAULT_SITE, Answers
from addc.provision.plan import ForestPlan, make_plan

NOW: Final = FileTime(134_000_000_000_000_000)
DOMAIN_DN: Final = "DC=corp,DC=example,DC=com"
ADMIN_PASSWORD: Final = "Corr3ct.Horse"

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


@cache
def corp_plan() -> ForestPlan:
    return make_plan(ANSWERS, CountingRng(), NOW)
