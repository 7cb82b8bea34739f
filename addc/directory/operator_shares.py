"""The file shares that operators define: what they are called, where they lie, who may connect.

Spec: [MS-SRVS] 3.1.1.7 (ShareList).
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Final

from addc.base.errors import UserError
from addc.codec.file_names import is_valid, upcase
from addc.directory import share_files
from addc.directory.context import ReadContext, WriteContext
from addc.security.descriptor import SecurityDescriptor

SHARES_STATE: Final = "shares"
"""Named state: JSON, a list of shares."""
NAME_MAX: Final = 80
RESERVED: Final = frozenset(("IPC$", "SYSVOL", "NETLOGON", "ADMIN$", "PRINT$", "GLOBAL", "PIPE", "MAILSLOT"))


@dataclass(frozen=True, slots=True)
class OperatorShare:
    """One share.

    path: of the host's folder. descriptor: of the share, packed, in hexadecimal; "" leaves it to the files.
    users_max: connections at a time; 0 for any number.
    """

    name: str
    path: str
    comment: str = ""
    descriptor: str = ""
    encrypt: bool = False
    access_based_enumeration: bool = False
    hidden: bool = False
    users_max: int = 0

    @property
    def security(self) -> SecurityDescriptor | None:
        return SecurityDescriptor.unpack(bytes.fromhex(self.descriptor)) if self.descriptor else None

    def with_security(self, descriptor: SecurityDescriptor | None) -> "OperatorShare":
        return replace(self, descriptor="" if descriptor is None else descriptor.pack().hex())


def all_shares(ctx: ReadContext) -> tuple[OperatorShare, ...]:
    """Every share that operators have defined, by name."""
    kept = ctx.tx.state(SHARES_STATE)
    if kept is None:
        return ()
    return tuple(OperatorShare(**one) for one in json.loads(kept))


def find(ctx: ReadContext, name: str) -> OperatorShare | None:
    wanted = upcase(name)
    return next((one for one in all_shares(ctx) if upcase(one.name) == wanted), None)


def _keep(ctx: WriteContext, shares: list[OperatorShare]) -> None:
    ordered = sorted(shares, key=lambda one: upcase(one.name))
    ctx.tx.set_state(SHARES_STATE, json.dumps([asdict(one) for one in ordered]).encode())


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a share."""
    if not is_valid(name) or len(name) > NAME_MAX:
        raise UserError(f"{name!r} is no name for a share: at most {NAME_MAX} letters, none of \\/:*?<>|")
    if upcase(name) in RESERVED:
        raise UserError(f"{name} is a share of the domain controller itself. Next step: choose another name.")


def put(ctx: WriteContext, share: OperatorShare, files: SecurityDescriptor | None = None) -> None:
    """Define a share, or change the one of its name. files: the descriptor of its root folder."""
    check_name(share.name)
    others = [one for one in all_shares(ctx) if upcase(one.name) != upcase(share.name)]
    _keep(ctx, [*others, share])
    if files is not None:
        share_files.keep(ctx, share.name, (), descriptor=files)


def remove(ctx: WriteContext, name: str, *, forget: bool = False) -> bool:
    """Take a share away; the files stay on the host. forget: their descriptors go as well."""
    shares = all_shares(ctx)
    kept = [one for one in shares if upcase(one.name) != upcase(name)]
    if forget:
        share_files.drop(ctx, name, ())
    if len(kept) == len(shares):
        return False
    _keep(ctx, kept)
    return True
