"""What `addc computer` does: accounts of members, made before they join or kept afterwards.

Spec: [MS-SAMR] 3.1.1.8.6, [MS-ADTS] 6.4 (domain join).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.secret import Secret
from addc.codec.dn import Dn
from addc.codec.filter import Equal, Filter
from addc.schema.wellknown import WellKnownContainer
from addc.security.account_flags import UserAccountControl as Uac
from addc.server.admin import accounts, names
from addc.server.admin.accounts import Facts, time_text
from addc.server.admin.names import COMPUTER, find
from addc.server.admin.target import Add, Modify, Target, replace, secret_pwd, text

_SHOWN: Final = (
    "userAccountControl", "dNSHostName", "operatingSystem", "operatingSystemVersion", "description",
    "location", "managedBy", "servicePrincipalName", "memberOf", "primaryGroupID", "pwdLastSet",
    "lastLogonTimestamp", "whenCreated", "objectGUID", "msDS-SupportedEncryptionTypes", "mS-DS-CreatorSID",
)  # fmt: skip
_KINDS: Final = (
    (Uac.UF_SERVER_TRUST_ACCOUNT, "domain controller"),
    (Uac.UF_PARTIAL_SECRETS_ACCOUNT, "read-only domain controller"),
    (Uac.UF_WORKSTATION_TRUST_ACCOUNT, "member"),
)


@dataclass(frozen=True, slots=True)
class NewComputer:
    """A computer as a person describes it. place: "" for the domain's default.

    password: for a join with a one-time password; None for a random one that the join resets.
    """

    name: str
    place: str = ""
    description: str = ""
    password: Secret | None = None
    settings: Sequence[str] = ()


def add(target: Target, new: NewComputer, *, dry_run: bool) -> Facts:
    """Make a computer's account before it joins."""
    bare = new.name.rstrip("$")
    default = WellKnownContainer.COMPUTERS
    parent = names.find_place(target, new.place).dn if new.place else names.default_place(target, default)
    dn = str(Dn.parse(parent).child("CN", bare))
    attributes: list[tuple[str, Sequence[bytes]]] = [
        ("objectClass", text("computer")),
        ("sAMAccountName", text(f"{bare}$")),
        ("userAccountControl", text(str(int(Uac.UF_WORKSTATION_TRUST_ACCOUNT)))),
        ("unicodePwd", secret_pwd(new.password or accounts.random_password(64))),
        *((("description", text(new.description)),) if new.description else ()),
        *((one.attribute, one.values) for one in accounts.attribute_changes(new.settings)),
    ]
    target.apply([Add(dn, attributes)], dry_run=dry_run)
    return {"name": f"{bare}$", "dn": dn, "one_time_password": new.password is not None}


def listed(
    target: Target, name: str, below: str, *, disabled: bool, step: Callable[[], None]
) -> Iterator[Facts]:
    """Computers in short. name: * stands for anything."""
    terms: list[Filter] = [Equal("objectCategory", b"computer")]
    if name:
        terms.append(accounts.pattern("sAMAccountName", name if name.endswith(("*", "$")) else f"{name}$"))
    if disabled:
        terms.append(accounts.with_bits(Uac.UF_ACCOUNTDISABLE))
    wanted = ("sAMAccountName", "userAccountControl", "dNSHostName", "operatingSystem")
    for entry in accounts.listed(target, terms, wanted, below, step):
        uac = entry.number("userAccountControl")
        yield {
            **accounts.brief(entry),
            "host": entry.text("dNSHostName"),
            "system": entry.text("operatingSystem"),
            "kind": _kind(uac),
            "enabled": not uac & Uac.UF_ACCOUNTDISABLE,
        }


def _kind(uac: int) -> str:
    return next((said for bit, said in _KINDS if uac & bit), "other")


def show(target: Target, name: str) -> Facts:
    """One computer in full, but for its secrets."""
    entry = find(target, name, COMPUTER, _SHOWN)
    uac = entry.number("userAccountControl")
    return {
        **accounts.brief(entry),
        "sid": str(entry.sid()),
        "guid": accounts.guid_text(entry.first("objectGUID")),
        "kind": _kind(uac),
        "host": entry.text("dNSHostName"),
        "system": entry.text("operatingSystem"),
        "system_version": entry.text("operatingSystemVersion"),
        "description": entry.text("description"),
        "location": entry.text("location"),
        "managed_by": entry.text("managedBy"),
        "enabled": not uac & Uac.UF_ACCOUNTDISABLE,
        "password_set": time_text(entry.number("pwdLastSet")),
        "last_logon": time_text(entry.number("lastLogonTimestamp")),
        "created": accounts.generalized_text(entry.text("whenCreated")),
        "service_principal_names": entry.texts("servicePrincipalName"),
        "groups": accounts.groups_of(target, entry, nested=False),
    }


def reset(target: Target, name: str, password: Secret | None, *, dry_run: bool) -> Facts:
    """Give an account a password that its computer does not know: it has to join anew."""
    entry = find(target, name, COMPUTER, ("userAccountControl",))
    new = password or accounts.random_password(64)
    target.apply([Modify(entry.dn, (replace("unicodePwd", *secret_pwd(new)),))], dry_run=dry_run)
    return {**accounts.brief(entry), "one_time_password": password is not None}
