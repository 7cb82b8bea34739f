"""Which policies are linked where: the text of gPLink, and what applies in which order.

Spec: [MS-GPOL] 2.2.2 (gPLink, gPOptions), 3.2.5.1.5 (order of precedence).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.directory import entry, names
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.store.objects import ObjectRow

DISABLED: Final = 1
ENFORCED: Final = 2
BLOCK_INHERITANCE: Final = 1
"""Of gPOptions."""
LINKS_MAX: Final = 999
_LINK: Final = re.compile(r"\[LDAP://([^;\]]*);(\d+)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """One link. options: DISABLED and ENFORCED."""

    dn: str
    options: int = 0

    @property
    def is_enabled(self) -> bool:
        return not self.options & DISABLED

    @property
    def is_enforced(self) -> bool:
        return bool(self.options & ENFORCED)


def parse(text: str) -> list[Link]:
    """The links in their order: the last is applied first, so the first wins."""
    return [Link(dn, int(options) & 3) for dn, options in _LINK.findall(text)[:LINKS_MAX]]


def render(links: Sequence[Link]) -> str:
    """The inverse of `parse`; a single blank stands for no links, since there is no empty value."""
    return "".join([f"[LDAP://{link.dn};{link.options}]" for link in links]) or " "


def links_of(row: ObjectRow) -> list[Link]:
    """The links of a domain, organizational unit or site."""
    return parse(entry.text(row, attr.GP_LINK) or "")


def _target(ctx: ReadContext, link: Link) -> Dnt | None:
    try:
        row = names.resolve(ctx, link.dn)
    except DsError:
        return None
    return row.dnt if entry.is_a(row, b"groupPolicyContainer") else None


def applied(ctx: ReadContext, places: Sequence[ObjectRow]) -> list[ObjectRow]:
    """The policies that apply below these places, in the order of application: what comes later wins.

    places: from the domain down. Spec: [MS-GPOL] 3.2.5.1.5.
    """
    plain: list[Dnt] = []
    enforced: list[Dnt] = []
    for place in places:
        links = [link for link in links_of(place) if link.is_enabled]
        if entry.integer(place, attr.GP_OPTIONS) & BLOCK_INHERITANCE:
            plain = []
        found = [(link, _target(ctx, link)) for link in reversed(links)]
        plain += [dnt for link, dnt in found if dnt is not None and not link.is_enforced]
        enforced = [dnt for link, dnt in found if dnt is not None and link.is_enforced] + enforced
    return ctx.tx.get_many(list(dict.fromkeys([*plain, *enforced])))
