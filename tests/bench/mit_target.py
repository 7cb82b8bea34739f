"""MIT's krb5-kdc with its default database beside the others: a KDC that builds no PAC of groups."""

from dataclasses import dataclass, field
from typing import Final

from tests.bench.load_kit import (
    BENCH_PASSWORD,
    FEW_GROUPS_USER,
    MANY_GROUPS_USER,
    SERVICE,
    SERVICE_SPN,
)
from tests.bench.load_ldap import user_name
from tests.bench.targets import Names
from tests.kit import mit_realm
from tests.kit.mit_realm import MitRealm
from tests.kit.net import Host

_HOST: Final = f"kdc.{mit_realm.REALM.lower()}"


@dataclass(slots=True)
class MitTarget:
    """Answers what Kerberos alone is asked; S4U2Proxy needs a database that knows of delegation."""

    host: Host
    name: str = "mit"
    loads: frozenset[str] = frozenset(("as_req", "tgs_req", "s4u2self"))
    words: tuple[str, ...] = ("requests=12000", f"service={SERVICE}")
    """It answers a request that comes again from memory: there are more than it remembers."""
    names: Names = field(default=Names(mit_realm.REALM, "", _HOST, BENCH_PASSWORD))
    _realm: MitRealm | None = None

    def provision(self) -> float:
        self._realm = mit_realm.make(self.host, self.host.folder / "mit", "")
        return 0.0

    def fill(self, users: int) -> None:
        """The principals that the loads ask for, with keys of passwords alone and pre-authentication."""
        assert self._realm is not None
        people = [user_name(number) for number in range(users)]
        people += [FEW_GROUPS_USER, MANY_GROUPS_USER, SERVICE, "Administrator"]
        add = f"addprinc -clearpolicy -e aes256-cts:normal -pw {BENCH_PASSWORD} +requires_preauth"
        self._realm.admin(*(f"{add} {name}" for name in people))
        self._realm.admin(
            *(f"addprinc -e aes256-cts:normal -randkey {name}" for name in (f"ldap/{_HOST}", SERVICE_SPN))
        )

    def start(self) -> None:
        assert self._realm is not None
        self._realm.start()

    def stop(self) -> None:
        if self._realm is not None:
            self._realm.stop()

    def complaints(self) -> list[str]:
        """Its log is its own affair."""
        return []
