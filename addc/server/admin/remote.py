"""A DC elsewhere as a target: by LDAP, as somebody whom that DC knows.

Spec: [MS-ADTS] 5.1.1.1 (binds), 3.1.1.4.5.10, 3.1.1.4.5.13 (allowedChildClassesEffective,
allowedAttributesEffective).
"""

from collections.abc import Iterator, Sequence
from typing import Final

from addc.auth.gss import AuthError
from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.filter import Filter
from addc.codes.ldap_result import LdapResult
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.ldap.client import LdapClient, NoServerError, RefusedError
from addc.server.admin.ranges import whole
from addc.server.admin.refusals import refused
from addc.server.admin.target import (
    BASE,
    EVERYTHING,
    PLAIN_LOOK,
    Add,
    Delete,
    Entry,
    Look,
    Modify,
    Move,
    Operation,
    Place,
)

_MISSING: Final = (LdapResult.NO_SUCH_OBJECT, LdapResult.REFERRAL)
_ROOT: Final = ("defaultNamingContext", "configurationNamingContext", "schemaNamingContext", "dnsHostName")
_NOT_ASKED: Final = frozenset(("unicodepwd", "ntsecuritydescriptor"))
"""Attributes that other rights than writing decide about."""


def place_of(client: LdapClient, host: str) -> Place:
    """What the rootDSE of a DC says of itself. Raises UserError where it is none of a domain."""
    try:
        entry = next(client.search("", BASE, EVERYTHING, _ROOT), None)
    except (NoServerError, RefusedError) as error:
        raise UserError(
            f"{host} tells nothing of itself: {error}. Next step: name a DC of the domain"
        ) from error
    facts = _entry(entry) if entry is not None else Entry("")
    domain = facts.text("defaultNamingContext")
    if not domain:
        raise UserError(f"{host} is no DC of a domain. Next step: name one, as -H ldap://dc1.example.com")
    labels = [rdn.value for rdn in Dn.parse(domain).rdns]
    return Place(
        facts.text("dnsHostName") or host,
        ".".join(labels).lower(),
        domain,
        facts.text("configurationNamingContext"),
        facts.text("schemaNamingContext"),
        facts.text("dnsHostName"),
    )


class RemoteTarget:
    """A bound connection, closed with the target. who: as whom, for people."""

    def __init__(self, client: LdapClient, place: Place, who: str) -> None:
        self.place = place
        self._client = client
        self._who = who

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    # --- reading ---

    def search(
        self,
        base: str,
        scope: int,
        wanted: Filter = EVERYTHING,
        attributes: Sequence[str] = (),
        look: Look = PLAIN_LOOK,
    ) -> Iterator[Entry]:
        """Every object found. The connection has to be read to the end before it is asked again."""
        count = 0
        try:
            for found in self._client.search(
                base, scope, wanted, tuple(attributes), controls=tuple(_controls(look))
            ):
                yield whole(_entry(found), self._values) if _is_cut(found) else _entry(found)
                count += 1
                if count == look.limit:
                    return
        except RefusedError as error:
            raise self._refused(error) from error
        except (NoServerError, AuthError) as error:
            raise self._gone(error) from error

    def _values(self, dn: str, attribute: str) -> Entry:
        return next(_entry(one) for one in self._client.search(dn, BASE, EVERYTHING, (attribute,)))

    def read(self, dn: str, attributes: Sequence[str] = (), look: Look = PLAIN_LOOK) -> Entry | None:
        """One object."""
        try:
            asked = self._client.search(
                dn, BASE, EVERYTHING, tuple(attributes), controls=tuple(_controls(look))
            )
            found = [_entry(one) for one in asked]
            return whole(found[0], self._values) if found else None
        except RefusedError as error:
            if error.result in _MISSING:
                return None
            raise self._refused(error) from error
        except (NoServerError, AuthError) as error:
            raise self._gone(error) from error

    # --- changing ---

    def apply(self, operations: Sequence[Operation], *, dry_run: bool = False) -> None:
        """One request for each; what was done before a refusal stays, and the error says so."""
        if dry_run:
            made: set[tuple[tuple[str, str], ...]] = set()
            for one in operations:
                name = Dn.parse(one.dn)
                if name.key() not in made and not (name and name.parent.key() in made):
                    self._try(one)
                if isinstance(one, Add):
                    made.add(name.key())
            return
        for at, one in enumerate(operations):
            try:
                request, controls = _request(one)
                self._client.apply(request, *controls)
            except RefusedError as error:
                told = self._refused(error, one)
                if at:
                    told = UserError(
                        f"{told}. Done before that, and not taken back: {at} of {len(operations)} changes"
                    )
                raise told from error
            except (NoServerError, AuthError) as error:
                raise self._gone(error) from error

    def _try(self, one: Operation) -> None:
        """Ask the DC for the rights that a change takes, as far as it tells of them."""
        match one:
            case Add(dn, attributes):
                parent = str(Dn.parse(dn).parent)
                found = self._there(parent, one, "allowedChildClassesEffective")
                wanted = next(
                    (values[-1].decode() for name, values in attributes if name.lower() == "objectclass"), ""
                )
                if wanted.lower() not in (
                    name.lower() for name in found.texts("allowedChildClassesEffective")
                ):
                    raise refused(0, "", one, who=self._who, result=LdapResult.INSUFFICIENT_ACCESS_RIGHTS)
            case Modify(dn, changes) if dn:
                found = self._there(dn, one, "allowedAttributesEffective")
                may = {name.lower() for name in found.texts("allowedAttributesEffective")} | _NOT_ASKED
                if any(change.attribute.partition(";")[0].lower() not in may for change in changes):
                    raise refused(0, "", one, who=self._who, result=LdapResult.INSUFFICIENT_ACCESS_RIGHTS)
            case Delete(dn, _) | Move(dn, _, None):
                self._there(dn, one)
            case Move(dn, _, str(parent)):
                self._there(dn, one)
                self._there(parent, one)

    def _there(self, dn: str, one: Operation, attribute: str = "1.1") -> Entry:
        found = self.read(dn, (attribute,))
        if found is None:
            raise refused(0, "", one, who=self._who, result=LdapResult.NO_SUCH_OBJECT)
        return found

    # --- what goes wrong ---

    def _refused(self, error: RefusedError, one: Operation | None = None) -> UserError:
        return refused(error.code, error.text, one, who=self._who, result=error.result)

    def _gone(self, error: Exception) -> UserError:
        return UserError(
            f"{self.place.name}: {error}. Next step: look at the DC (addc status there), then try again"
        )


def _request(one: Operation) -> tuple[m.Request, tuple[m.Control, ...]]:
    match one:
        case Add(dn, attributes):
            return m.AddRequest(dn, tuple(_attribute(name, values) for name, values in attributes)), ()
        case Modify(dn, changes):
            parts = tuple(m.Change(part.op, _attribute(part.attribute, part.values)) for part in changes)
            return m.ModifyRequest(dn, parts), ()
        case Delete(dn, tree):
            return m.DelRequest(dn), (m.Control(wire.LDAP_SERVER_TREE_DELETE_OID, True),) * tree
        case Move(dn, new_rdn, new_parent):
            return m.ModifyDnRequest(dn, new_rdn, True, new_parent), ()


def _attribute(name: str, values: Sequence[bytes]) -> m.PartialAttribute:
    return m.PartialAttribute(name, tuple(values))


def _controls(look: Look) -> Iterator[m.Control]:
    if look.deleted:
        yield m.Control(wire.LDAP_SERVER_SHOW_DELETED_OID, True)
    if look.sd_flags is not None:
        yield m.Control(wire.LDAP_SERVER_SD_FLAGS_OID, True, wire.FlagsValue(look.sd_flags).pack())


def _is_cut(found: m.SearchResultEntry) -> bool:
    return any(";range=" in one.type for one in found.attributes)


def _entry(found: m.SearchResultEntry) -> Entry:
    return Entry(found.object_name, {one.type.lower(): one.vals for one in found.attributes})
