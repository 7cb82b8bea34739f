"""What `addc delegation` does: who may act for users, and where.

Spec: [MS-SFU] 1.3.3 (constrained, resource-based), [MS-KILE] 3.3.1.1 (TrustedForDelegation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.codec.ids import Sid
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl as Uac
from addc.security.descriptor import (
    ACCESS_ALLOWED,
    ACL_REVISION,
    Ace,
    Acl,
    Control,
    SecurityDescriptor,
)
from addc.server.admin import accounts
from addc.server.admin.accounts import Facts
from addc.server.admin.names import ACCOUNT, find, name_of
from addc.server.admin.target import Change, Entry, Modify, Target, insert, remove, replace

_TO: Final = "msDS-AllowedToDelegateTo"
_FROM: Final = "msDS-AllowedToActOnBehalfOfOtherIdentity"
_FLAGS: Final = {
    "unconstrained": Uac.UF_TRUSTED_FOR_DELEGATION,
    "protocol_transition": Uac.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION,
    "sensitive": Uac.UF_NOT_DELEGATED,
}
_FULL: Final = 0x000F_01FF
"""What Windows' tools write: all rights of a directory object. The KDC asks for one of them."""


def _callers(entry: Entry) -> list[Sid]:
    """Whom the account lets act for users to it (resource-based)."""
    value = entry.first(_FROM)
    if value is None:
        return []
    try:
        found = SecurityDescriptor.unpack(value)
    except DecodeError:
        return []
    return [ace.sid for ace in (found.dacl.aces if found.dacl else ()) if ace.type == ACCESS_ALLOWED]


def show(target: Target, name: str) -> Facts:
    """Where an account may act for users, and who may do so to it."""
    entry = find(target, name, ACCOUNT, ("userAccountControl", _TO, _FROM))
    uac = entry.number("userAccountControl")
    return {
        **accounts.brief(entry),
        **{name: bool(uac & bit) for name, bit in _FLAGS.items()},
        "to": sorted(entry.texts(_TO), key=str.lower),
        "from": [name_of(target, f"<SID={sid}>") for sid in _callers(entry)],
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be otherwise.

    flags: unconstrained, protocol_transition, sensitive. to, not_to: services that it may act to.
    callers, not_callers: accounts that may act to it. nothing: take all of it away first.
    """

    flags: dict[str, bool]
    to: Sequence[str] = ()
    not_to: Sequence[str] = ()
    callers: Sequence[str] = ()
    not_callers: Sequence[str] = ()
    nothing: bool = False


def change(target: Target, name: str, wanted: Wanted, *, dry_run: bool) -> Facts:
    """Say where an account may act for users, and who may do so to it."""
    entry = find(target, name, ACCOUNT, ("userAccountControl", _TO, _FROM))
    flags = dict(wanted.flags)
    if wanted.nothing:
        flags = {"unconstrained": False, "protocol_transition": False, **flags}
    on = sum(_FLAGS[name] for name, is_on in flags.items() if is_on)
    off = sum(_FLAGS[name] for name, is_on in flags.items() if not is_on)
    flag_change = accounts.flags_change(entry, on, off)
    changes = [
        *([] if flag_change is None else [flag_change]),
        *_services(entry, wanted),
        *_new_callers(target, entry, wanted),
    ]
    if changes:
        target.apply([Modify(entry.dn, changes)], dry_run=dry_run)
    elif not (flags or wanted.to or wanted.not_to or wanted.callers or wanted.not_callers or wanted.nothing):
        raise UserError("Nothing was to be changed. Next step: addc delegation set --help tells what can be")
    return {**accounts.brief(entry), "changed": sorted({one.attribute for one in changes})}


def _services(entry: Entry, wanted: Wanted) -> list[Change]:
    held = {one.lower(): one for one in entry.texts(_TO)}
    if wanted.nothing:
        kept = [one.encode() for one in wanted.to]
        return [replace(_TO, *kept)] if held or kept else []
    fresh = [one.encode() for one in wanted.to if one.lower() not in held]
    gone = []
    for one in wanted.not_to:
        if one.lower() not in held:
            raise UserError(
                f"{entry.text('sAMAccountName')} may not act to {one} as it is. Next step: "
                f"addc delegation show {entry.text('sAMAccountName')}"
            )
        gone.append(held[one.lower()].encode())
    return [*([insert(_TO, *fresh)] if fresh else []), *([remove(_TO, *gone)] if gone else [])]


def _new_callers(target: Target, entry: Entry, wanted: Wanted) -> list[Change]:
    if not (wanted.callers or wanted.not_callers or wanted.nothing):
        return []
    old = _callers(entry)
    sids = [] if wanted.nothing else list(old)
    for name in wanted.callers:
        sid = find(target, name).sid()
        if sid is not None and sid not in sids:
            sids.append(sid)
    for name in wanted.not_callers:
        sid = find(target, name).sid()
        if sid not in sids:
            raise UserError(
                f"{name} may not act to {entry.text('sAMAccountName')} as it is. Next step: "
                f"addc delegation show {entry.text('sAMAccountName')}"
            )
        sids.remove(sid)
    if sids == old:
        return []
    return [replace(_FROM, *((_descriptor(sids),) if sids else ()))]


def _descriptor(sids: Sequence[Sid]) -> bytes:
    aces = tuple(Ace(ACCESS_ALLOWED, 0, _FULL, sid) for sid in sids)
    control = int(Control.SR | Control.DP)
    return SecurityDescriptor(
        control, wellknown.BUILTIN_ADMINISTRATORS, None, None, Acl(ACL_REVISION, aces)
    ).pack()
