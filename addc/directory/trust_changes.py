"""Trusts made, changed and ended: the trusted domain object and its interdomain account as one transaction.

What the LSA calls of other DCs and of administrators do; LDAP only deletes trusted domain objects.

Spec: [MS-LSAD] 3.1.4.7.10, [MS-ADTS] 6.1.6.7, 6.1.6.8, 6.1.6.9.4, 6.1.6.9.7.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec.blobs import TrustAuthInfo
from addc.codec.forest_trust import ForestTrustInfo
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, names, passwords, trust_namespaces, trusts
from addc.directory.add import add_object
from addc.directory.context import ReadContext, WriteContext
from addc.directory.delete import delete_row
from addc.directory.draft import draft_of
from addc.directory.modify import Change, ModOp, modify_row
from addc.directory.sam_rules import is_domain_admin
from addc.directory.stamp import save
from addc.directory.trusts import Trust
from addc.schema import attr
from addc.schema.wellknown import WellKnownContainer
from addc.security.account_flags import UserAccountControl
from addc.security.token import SYSTEM
from addc.security.trusts import TrustAttributes, TrustDirection, TrustSecrets, TrustType, trust_auth_info
from addc.store.objects import ObjectRow

_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
_NETBIOS: Final = re.compile(r"[^\\/:*?\"<>|.,=+\[\];\s]{1,15}")
_RESERVED_OFFSETS: Final = frozenset((0x0800, 0x4000, 0xC000))
_OFFSET_MAX: Final = 0xFFFF
_UAC: Final = int(UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT | UserAccountControl.UF_PASSWD_NOTREQD)
_FIRST_KVNO: Final = 1
_MADE_UP_SIZE: Final = 32
_FOREST: Final = TrustAttributes.FOREST_TRANSITIVE
_ABROAD: Final = TrustAttributes.FOREST_TRANSITIVE | TrustAttributes.CROSS_ORGANIZATION


@dataclass(frozen=True, slots=True)
class NewTrust:
    """A trust to be. Secrets are UTF-16LE; each direction has its own, though both may be the same.

    supported_enctypes: None leaves msDS-SupportedEncryptionTypes out. kvno: of the first secrets.
    *_former: the secrets before them, where there were any. needs_secrets: False for a trust that gets its
    secrets later; nobody can use it until then.
    """

    partner: str
    flat_name: str
    sid: Sid | None
    direction: TrustDirection
    trust_type: TrustType = TrustType.UPLEVEL
    attributes: TrustAttributes = TrustAttributes(0)  # noqa: RUF009 - a number
    incoming: Secret | None = None
    outgoing: Secret | None = None
    supported_enctypes: int | None = None
    forest: ForestTrustInfo | None = None
    kvno: int = _FIRST_KVNO
    incoming_former: Secret | None = None
    outgoing_former: Secret | None = None
    needs_secrets: bool = True


def _refuse(code: Win32, detail: str, attribute: str = "", result: LdapResult | None = None) -> DsError:
    return DsError(code, detail, ldap_result=result, attribute=attribute)


def _invalid(detail: str, attribute: str) -> DsError:
    return _refuse(Win32.ERROR_INVALID_PARAMETER, detail, attribute, LdapResult.UNWILLING_TO_PERFORM)


def _system(ctx: WriteContext) -> WriteContext:
    """The transaction in the DC's own name; only for Domain Admins. Spec: [MS-LSAD] 3.1.4.7.10."""
    if not is_domain_admin(ctx):
        raise _refuse(Win32.ERROR_ACCESS_DENIED, "trusts are for Domain Admins")
    return ctx if ctx.unrestricted else ctx.as_requester(SYSTEM)


# --- making ------------------------------------------------------------------------------------------------


def create(ctx: WriteContext, new: NewTrust) -> Dnt:
    """Make the trusted domain object, and the account of an inbound trust; the object's row.

    Raises DsError as [MS-LSAD] 3.1.4.7.10 has it.
    """
    system = _system(ctx)
    _check(system, new)
    forest = new.forest
    if new.attributes & _FOREST and forest is None:
        forest = trust_namespaces.single_domain(new.partner, new.flat_name, new.sid, ctx.now)
    if forest is not None:
        trust_namespaces.check(forest)
        forest = trust_namespaces.with_conflicts(forest, trust_namespaces.taken(ctx, new.partner))
    dnt = add_object(system, f"CN={new.partner},{_container(ctx)}", _values(system, new, forest))
    if _has_account(new.direction, new.trust_type):
        _put_account(system, new.flat_name, new.incoming or _made_up(ctx))
    return dnt


def _made_up(ctx: WriteContext) -> Secret:
    """A password that nobody knows."""
    return Secret(ctx.rng.bytes(_MADE_UP_SIZE).hex().encode("utf-16-le"))


def _check(ctx: ReadContext, new: NewTrust) -> None:
    """The rules of [MS-ADTS] 6.1.6.9.7."""
    if not _DNS_NAME.fullmatch(new.partner):
        raise _refuse(
            Win32.ERROR_INVALID_DOMAINNAME, f"{new.partner!r} is no name of a domain", "trustPartner"
        )
    if not new.flat_name or (new.trust_type != TrustType.MIT and not _NETBIOS.fullmatch(new.flat_name)):
        raise _refuse(Win32.ERROR_INVALID_DOMAINNAME, f"{new.flat_name!r} is no NetBIOS name", "flatName")
    if new.sid is not None and (new.sid[1] != 4 or not str(new.sid).startswith("S-1-5-21-")):
        raise _refuse(Win32.ERROR_INVALID_SID, f"{new.sid} is no domain's", "securityIdentifier")
    outbound = new.direction & TrustDirection.OUTBOUND
    if new.sid is None and new.trust_type != TrustType.MIT and outbound:
        raise _invalid("a domain that is trusted has a SID", "securityIdentifier")
    if new.needs_secrets and new.direction & TrustDirection.INBOUND and new.incoming is None:
        raise _invalid("an inbound trust needs its secret", "trustAuthIncoming")
    if new.needs_secrets and outbound and new.outgoing is None:
        raise _invalid("an outbound trust needs its secret", "trustAuthOutgoing")
    check_attributes(ctx, new.trust_type, new.attributes)
    _check_others(ctx, new)


def check_attributes(ctx: ReadContext, trust_type: int, attributes: TrustAttributes) -> None:
    """Refuse combinations that mean nothing. Spec: [MS-ADTS] 6.1.6.9.7, [MS-LSAD] 3.1.4.7.10.

    USES_RC4_ENCRYPTION is let pass everywhere, as Windows does; it means something to MIT realms alone.
    """
    if attributes & TrustAttributes.WITHIN_FOREST and attributes & _ABROAD:
        raise _invalid(
            "a trust within the forest is neither a forest's nor another organization's", _ATTRIBUTES
        )
    if attributes & _FOREST:
        if trust_type != TrustType.UPLEVEL:
            raise _invalid("only Active Directory has forests", _ATTRIBUTES)
        if ctx.forest.dns_domain.lower() != ctx.forest.dns_forest.lower():
            raise _refuse(
                Win32.ERROR_INVALID_DOMAIN_STATE,
                "forest trusts are made in the forest's root domain",
                _ATTRIBUTES,
            )


_ATTRIBUTES: Final = "trustAttributes"


def _check_others(ctx: ReadContext, new: NewTrust) -> None:
    """Neither this domain nor a second trust with the same one."""
    own = {ctx.forest.dns_domain.lower(), ctx.forest.netbios.lower()}
    if own & {new.partner.lower(), new.flat_name.lower()} or new.sid == ctx.forest.domain_sid:
        raise _refuse(Win32.ERROR_CURRENT_DOMAIN_NOT_ALLOWED, "that is this domain")
    for other in trusts.trusted_domains(ctx):
        same_name = {other.partner.lower(), other.flat_name.lower()} & {
            new.partner.lower(),
            new.flat_name.lower(),
        }
        if same_name or (new.sid is not None and new.sid == other.sid):
            raise _refuse(
                Win32.ERROR_DOMAIN_EXISTS, f"there is a trust with {other.partner} already", "trustPartner"
            )


def _container(ctx: ReadContext) -> str:
    """CN=System. Spec: [MS-ADTS] 6.1.6.7."""
    return _well_known(ctx, WellKnownContainer.SYSTEMS)


def _well_known(ctx: ReadContext, guid: UUID) -> str:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    found = None if domain is None else names.well_known(ctx, domain, guid)
    if found is None:
        raise _refuse(Win32.ERROR_DS_OBJ_NOT_FOUND, "a well-known container is missing")
    return names.dn_of_row(ctx, found)


def _values(
    ctx: ReadContext, new: NewTrust, forest: ForestTrustInfo | None
) -> list[tuple[str, Sequence[bytes]]]:
    attributes = int(new.attributes)
    values = {
        "objectClass": b"trustedDomain",
        "trustPartner": new.partner.encode(),
        "flatName": new.flat_name.encode(),
        "trustDirection": b"%d" % int(new.direction),
        "trustType": b"%d" % int(new.trust_type),
        "trustAttributes": b"%d" % attributes,
        "trustPosixOffset": b"%d" % _posix_offset(ctx, new),
        "isCriticalSystemObject": b"TRUE",
        "instanceType": b"4",
    }
    if new.sid is not None:
        values["securityIdentifier"] = bytes(new.sid)
    if new.supported_enctypes is not None:
        values["msDS-SupportedEncryptionTypes"] = b"%d" % new.supported_enctypes
    if forest is not None:
        values["msDS-TrustForestTrustInfo"] = forest.pack()
    if new.direction & TrustDirection.INBOUND and new.incoming is not None:
        values["trustAuthIncoming"] = _first_secrets(ctx, new.incoming, new.incoming_former, new.kvno)
    if new.direction & TrustDirection.OUTBOUND and new.outgoing is not None:
        values["trustAuthOutgoing"] = _first_secrets(ctx, new.outgoing, new.outgoing_former, new.kvno)
    return [(name, [value]) for name, value in values.items()]


def _first_secrets(ctx: ReadContext, secret: Secret, former: Secret | None, kvno: int) -> bytes:
    before = None if former is None else trust_auth_info(former, ctx.now, max(kvno - 1, 0))
    return trust_auth_info(secret, ctx.now, kvno, before).pack()


def _posix_offset(ctx: ReadContext, new: NewTrust) -> int:
    """The next one that no outgoing Windows trust has; this DC is the PDC. Spec: [MS-ADTS] 6.1.6.9.4."""
    if not new.direction & TrustDirection.OUTBOUND or new.trust_type > TrustType.UPLEVEL:
        return 0
    used = {one.posix_offset for one in trusts.trusted_domains(ctx)} | _RESERVED_OFFSETS
    return next(offset for offset in range(1, _OFFSET_MAX) if offset not in used)


# --- the interdomain account -------------------------------------------------------------------------------


def _has_account(direction: int, trust_type: int) -> bool:
    """Whether the partner has an account here.

    Deviation: not for MIT realms, whose KDCs never log on with one; it would be a door without a user.
    """
    return bool(direction & TrustDirection.INBOUND) and trust_type != TrustType.MIT


def _put_account(ctx: WriteContext, flat_name: str, secret: Secret) -> None:
    """Make `<FLAT>$`, or give it the new secret for its password. Spec: [MS-ADTS] 6.1.6.8."""
    row = trusts.account_row(ctx, flat_name)
    salt = passwords.salt_for(ctx.forest.realm, flat_name, False, is_trust=True)
    prepared = passwords.derive(secret, salt)
    quoted = '"'.encode("utf-16-le")
    value = quoted + secret.reveal() + quoted
    if row is not None:  # a Modify by the DC itself would take the value as the hash that it stores
        draft = draft_of(ctx, row)
        passwords.store_password(ctx, draft, prepared, change=False)
        save(ctx, draft)
        return
    place = _well_known(ctx, WellKnownContainer.USERS)
    attributes: list[tuple[str, Sequence[bytes]]] = [
        ("objectClass", [b"user"]),
        ("sAMAccountName", [f"{flat_name}$".encode()]),
        ("userAccountControl", [b"%d" % _UAC]),
        ("isCriticalSystemObject", [b"TRUE"]),
        ("unicodePwd", [value]),
    ]
    add_object(ctx, f"CN={flat_name}$,{place}", attributes, password=prepared)


def _drop_account(ctx: WriteContext, flat_name: str) -> None:
    row = trusts.account_row(ctx, flat_name)
    trust_account = UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
    if row is not None and entry.integer(row, attr.USER_ACCOUNT_CONTROL) & trust_account:
        delete_row(ctx, row)


# --- changing ----------------------------------------------------------------------------------------------


def _row(ctx: ReadContext, trust: Trust) -> ObjectRow:
    row = ctx.tx.get(trust.dnt)
    if row is None or not trusts.is_trust(ctx, row):
        raise _refuse(Win32.ERROR_NO_SUCH_DOMAIN, f"there is no trust with {trust.partner}")
    return row


def set_secrets(
    ctx: WriteContext, trust: Trust, *, incoming: Secret | None = None, outgoing: Secret | None = None
) -> None:
    """New secrets; the present ones become the previous ones, which stay good. Spec: [MS-ADTS] 6.1.6.9.1."""
    system = _system(ctx)
    row = _row(system, trust)
    changes = []
    for name, att, secret, bit in (
        ("trustAuthIncoming", attr.TRUST_AUTH_INCOMING, incoming, TrustDirection.INBOUND),
        ("trustAuthOutgoing", attr.TRUST_AUTH_OUTGOING, outgoing, TrustDirection.OUTBOUND),
    ):
        if secret is None:
            continue
        if not trust.direction & bit:
            raise _invalid(f"the trust with {trust.partner} does not go that way", name)
        fresh = _next_secret(ctx, secret, entry.first(row, att))
        changes.append(Change(ModOp.REPLACE, name, [fresh.pack()]))
    if changes:
        modify_row(system, row, changes)
    if incoming is not None and _has_account(trust.direction, trust.trust_type):
        _put_account(system, trust.flat_name, incoming)


def _next_secret(ctx: WriteContext, secret: Secret, before: bytes | None) -> TrustAuthInfo:
    try:
        old = None if before is None else TrustAuthInfo.unpack(before)
    except DecodeError:
        old = None
    found = TrustSecrets.read(before)
    kvno = _FIRST_KVNO if found is None else (found.current.kvno or 0) + 1
    return trust_auth_info(secret, ctx.now, kvno, old if found is not None else None)


def set_attributes(
    ctx: WriteContext,
    trust: Trust,
    attributes: TrustAttributes,
    supported_enctypes: int | None = None,
) -> None:
    """Other trustAttributes; without FOREST_TRANSITIVE what the forest claimed goes. Spec: 6.1.6.9.7.

    supported_enctypes: None leaves them as they are.
    """
    system = _system(ctx)
    row = _row(system, trust)
    check_attributes(ctx, trust.trust_type, attributes)
    changes = [Change(ModOp.REPLACE, "trustAttributes", [b"%d" % int(attributes)])]
    if supported_enctypes is not None:
        changes.append(Change(ModOp.REPLACE, "msDS-SupportedEncryptionTypes", [b"%d" % supported_enctypes]))
    if not attributes & _FOREST and trust.forest is not None:
        changes.append(Change(ModOp.REPLACE, "msDS-TrustForestTrustInfo", []))
    modify_row(system, row, changes)


def set_information(
    ctx: WriteContext, trust: Trust, direction: TrustDirection, trust_type: int, attributes: TrustAttributes
) -> None:
    """Another direction, type and other attributes; an account comes and goes with the inbound direction.

    A direction that is new has no secret yet: set_secrets gives it one. Spec: [MS-LSAD] 3.1.4.7.14.
    """
    system = _system(ctx)
    row = _row(system, trust)
    check_attributes(ctx, trust_type, attributes)
    changes = [
        Change(ModOp.REPLACE, "trustDirection", [b"%d" % int(direction)]),
        Change(ModOp.REPLACE, "trustType", [b"%d" % trust_type]),
        Change(ModOp.REPLACE, "trustAttributes", [b"%d" % int(attributes)]),
    ]
    if not attributes & _FOREST and trust.forest is not None:
        changes.append(Change(ModOp.REPLACE, "msDS-TrustForestTrustInfo", []))
    modify_row(system, row, changes)
    had, has = _has_account(trust.direction, trust.trust_type), _has_account(direction, trust_type)
    if has and not had:
        known = None if trust.incoming is None else trust.incoming.current.clear
        _put_account(system, trust.flat_name, known or _made_up(ctx))
    elif had and not has:
        _drop_account(system, trust.flat_name)


def set_posix_offset(ctx: WriteContext, trust: Trust, offset: int) -> None:
    """Another trustPosixOffset."""
    system = _system(ctx)
    modify_row(
        system,
        _row(system, trust),
        [Change(ModOp.REPLACE, "trustPosixOffset", [b"%d" % (offset & 0xFFFF_FFFF)])],
    )


def set_namespaces(ctx: WriteContext, trust: Trust, info: ForestTrustInfo) -> ForestTrustInfo:
    """What the partner's forest claims; what is kept of it, collisions marked.

    Spec: [MS-ADTS] 6.1.6.9.3.2.
    """
    system = _system(ctx)
    row = _row(system, trust)
    if not trust.attributes & _FOREST:
        raise _invalid(f"the trust with {trust.partner} is no forest trust", _ATTRIBUTES)
    trust_namespaces.check(info)
    kept = trust_namespaces.with_conflicts(info, trust_namespaces.taken(ctx, trust.partner))
    modify_row(system, row, [Change(ModOp.REPLACE, "msDS-TrustForestTrustInfo", [kept.pack()])])
    return kept


def delete(ctx: WriteContext, trust: Trust) -> None:
    """End a trust: the object and its account. Spec: [MS-LSAD] 3.1.4.7.3."""
    system = _system(ctx)
    delete_row(system, _row(system, trust))
    _drop_account(system, trust.flat_name)
