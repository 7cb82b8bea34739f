"""What `addc spn` does: service principal names of accounts.

Spec: [MS-ADTS] 3.1.1.5.1.3 (uniqueness), 5.1.1.5 (mutual authentication).
"""

from collections.abc import Iterator, Sequence

from addc.base.errors import UserError
from addc.server.admin import accounts
from addc.server.admin.accounts import Facts
from addc.server.admin.names import ACCOUNT, find
from addc.server.admin.target import SUBTREE, Modify, Target, insert, remove

_SPN = "servicePrincipalName"


def listed(target: Target, name: str) -> Facts:
    """The names of one account."""
    entry = find(target, name, ACCOUNT, (_SPN,))
    return {**accounts.brief(entry), "service_principal_names": sorted(entry.texts(_SPN), key=str.lower)}


def add(target: Target, name: str, spns: Sequence[str], *, dry_run: bool) -> Facts:
    """Give an account names; that nobody else of the forest has them is the directory's to see to."""
    return _changed(target, name, spns, adds=True, dry_run=dry_run)


def delete(target: Target, name: str, spns: Sequence[str], *, dry_run: bool) -> Facts:
    """Take names away from an account."""
    return _changed(target, name, spns, adds=False, dry_run=dry_run)


def _changed(target: Target, name: str, spns: Sequence[str], *, adds: bool, dry_run: bool) -> Facts:
    entry = find(target, name, ACCOUNT, (_SPN,))
    held = {one.lower(): one for one in entry.texts(_SPN)}
    for one in spns:
        if adds and "/" not in one:
            raise UserError(f"{one!r} is no service principal name. Next step: write HTTP/web.example.com")
        if adds == (one.lower() in held):
            state = "has that name already" if adds else "does not have that name"
            raise UserError(f"{entry.text('sAMAccountName')} {state}: {one}. Next step: addc spn list {name}")
    values = [(one if adds else held[one.lower()]).encode() for one in spns]
    target.apply([Modify(entry.dn, ((insert if adds else remove)(_SPN, *values),))], dry_run=dry_run)
    return {**accounts.brief(entry), "service_principal_names": list(spns)}


def query(target: Target, wanted: str) -> Iterator[Facts]:
    """Who has names like that; * stands for anything."""
    rule = accounts.pattern(_SPN, wanted)
    first, _, last = wanted.lower().partition("*")
    for entry in target.search(target.place.domain_dn, SUBTREE, rule, ("sAMAccountName", _SPN)):
        for spn in sorted(entry.texts(_SPN), key=str.lower):
            low = spn.lower()
            if low.startswith(first) and ("*" in wanted or low == first) and _ends(low, last):
                yield {**accounts.brief(entry), "spn": spn}


def _ends(spn: str, rest: str) -> bool:
    """Whether what follows the first * fits."""
    at = 0
    *middle, last = rest.split("*")
    for part in middle:
        found = spn.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return spn.endswith(last)
