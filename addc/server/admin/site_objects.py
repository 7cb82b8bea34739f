"""Objects of the Sites container as commands name and find them.

Spec: [MS-ADTS] 6.1.1.2.2.
"""

from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.filter import Equal, Or
from addc.server.admin.target import SUBTREE, Change, Entry, Target, replace, text

Facts = dict[str, object]

_DSA_CLASSES: Final = ("nTDSDSA", "nTDSDSARO")
_NAME_MAX: Final = 64
"""Of cn, in characters."""


def class_is(name: str) -> Equal:
    """A filter for the objects of a class."""
    return Equal("objectClass", name.encode())


def dsa_filter() -> Or:
    """A filter for DCs' own objects."""
    return Or(tuple(map(class_is, _DSA_CLASSES)))


def sites_dn(target: Target) -> Dn:
    return Dn.parse(target.place.config_dn).child("CN", "Sites")


def links_dn(target: Target) -> Dn:
    """Links are of the IP transport: the only one that Windows still makes."""
    return sites_dn(target).child("CN", "Inter-Site Transports").child("CN", "IP")


def rdn_of(dn: str) -> str:
    """The value of a DN's first RDN; "" where it is no DN."""
    return Dn.parse(dn).rdn.value if dn else ""


def same(one: str, other: str) -> bool:
    """Whether two DNs name the same object."""
    return Dn.parse(one).key() == Dn.parse(other).key()


def site_of(server: str) -> str:
    """A server lies in CN=Servers of its site."""
    return str(Dn.parse(server).parent.parent)


def find(target: Target, name: str, attributes: tuple[str, ...] = ("name",)) -> Entry:
    """A site by its name. Raises UserError."""
    found = target.read(str(sites_dn(target).child("CN", name)), attributes) if name else None
    if found is None:
        raise UserError(f"There is no site {name!r}. Next step: addc sites list tells which there are")
    return found


def all_servers(target: Target) -> list[Entry]:
    """Every server object."""
    wanted = ("dNSHostName", "bridgeheadTransportList")
    return list(target.search(str(sites_dn(target)), SUBTREE, class_is("server"), wanted))


def check_object_name(what: str, name: str) -> None:
    """Raises UserError for what no link, bridge or connection can be called."""
    if not name or len(name) > _NAME_MAX or not name.isprintable() or name != name.strip():
        raise UserError(
            f"No {what} can be called {name!r}. Next step: give a name of 1 to {_NAME_MAX} letters,"
            " without blanks at its ends"
        )


def set_text(attribute: str, value: str | None) -> list[Change]:
    """A change of a text: None leaves it, "" takes it away."""
    return [] if value is None else [replace(attribute, *(text(value) if value else ()))]
