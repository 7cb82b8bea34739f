"""What sites and subnets may be called.

Spec: [MS-ADTS] 3.1.1.5.2.2, 6.1.1.2.2.2.1
"""

from ipaddress import IPv6Network, ip_address, ip_network
from typing import Final

_LABEL_MAX: Final = 63
_NOT_IN_LABELS: Final = frozenset(" {|}~[]^':;<=>?@!\"#$%`()+/,.*&\\")


def is_site_name(text: str) -> bool:
    """Whether a site may have the name: it becomes a label of DNS names. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    return 0 < len(text.encode()) <= _LABEL_MAX and _NOT_IN_LABELS.isdisjoint(text) and text.isprintable()


def is_subnet_name(text: str) -> bool:
    """Whether a subnet may have the name: `address/bits` as [MS-ADTS] 6.1.1.2.2.2.1 wants both written."""
    address, slash, bits = text.partition("/")
    try:
        network = ip_network(text, strict=":" not in address)
        canonical = str(ip_address(address))
    except ValueError:
        return False
    if not slash or bits != str(network.prefixlen) or not network.prefixlen or canonical != address.lower():
        return False
    return isinstance(network, IPv6Network) or network.network_address != network.netmask
