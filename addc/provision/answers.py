"""What a new forest is asked for, checked before anything is made.

Spec: [MS-ADTS] 3.1.1.1.4, 6.1.1.2.1.1.5, RFC 1123 2.1
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.base.secret import Secret
from addc.codec.server_addresses import parse_server

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NETBIOS_MAX: Final = 15
DNS_LABEL_MAX: Final = 63
DOMAIN_NAME_MAX: Final = 64
DEFAULT_SITE: Final = "Default-First-Site-Name"

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_NETBIOS: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9_-]*[A-Z0-9_])?")
_RESERVED: Final = frozenset(
    "ANONYMOUS BATCH BUILTIN DIALUP DOMAIN ENTERPRISE GATEWAY INTERACTIVE INTERNET LOCAL LOCALHOST NETWORK "
    "NULL PROXY RESTRICTED SELF SERVER SERVICE SYSTEM USERS WORLD".split()
)


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything that decides what a new forest looks like.

    realm: upper case; dns_domain: the same in lower case. host: short name in lower case.
    addresses: what the domain controller registers in DNS.
    """

    realm: str
    dns_domain: str
    netbios: str
    host: str
    site: str
    addresses: tuple[Address, ...]
    admin_password: Secret

    @property
    def host_fqdn(self) -> str:
        return f"{self.host}.{self.dns_domain}"

    @property
    def domain_dn(self) -> str:
        return ",".join(f"DC={label}" for label in self.dns_domain.split("."))


def _refuse(cause: str, checked: str, step: str) -> UserError:
    return UserError(f"{cause} {checked} Next step: {step}")


def check_realm(text: str) -> str:
    """The Kerberos realm, upper case: a DNS name of two labels at least."""
    realm = text.strip().rstrip(".").upper()
    labels = realm.split(".")
    step = "give a DNS name that is yours, such as --realm CORP.EXAMPLE.COM"
    for label in labels:
        if len(label) > DNS_LABEL_MAX or not _LABEL.fullmatch(label):
            raise _refuse(
                f"{text!r} cannot be a realm.",
                f"Its part {label!r} is not 1 to 63 letters, digits and inner hyphens.",
                step,
            )
    if len(labels) < 2:
        raise _refuse(
            f"{text!r} cannot be a realm.", "It has one label; clients find a domain by two or more.", step
        )
    if len(realm) > DOMAIN_NAME_MAX:
        raise _refuse(f"{text!r} cannot be a realm.", f"It has {len(realm)} characters, 64 fit.", step)
    if labels[-1].isdigit():
        raise _refuse(f"{text!r} cannot be a realm.", "Its last part is a number, as in an IP address.", step)
    return realm


def default_netbios(realm: str) -> str:
    """The realm's first label, cut to what NetBIOS takes."""
    return realm.split(".", maxsplit=1)[0][:NETBIOS_MAX].rstrip("-")


def check_netbios(text: str) -> str:
    """The domain's NetBIOS name, upper case."""
    name = text.strip().upper()
    step = "give another one with --domain, such as --domain CORP"
    if not 1 <= len(name) <= NETBIOS_MAX:
        raise _refuse(
            f"{text!r} cannot be a NetBIOS domain name.", f"It has {len(name)} characters, 1 to 15 fit.", step
        )
    if not _NETBIOS.fullmatch(name):
        raise _refuse(
            f"{text!r} cannot be a NetBIOS domain name.",
            "Only letters, digits, inner hyphens and underscores are taken.",
            step,
        )
    if name.isdigit():
        raise _refuse(f"{text!r} cannot be a NetBIOS domain name.", "It is all digits.", step)
    if name in _RESERVED:
        raise _refuse(
            f"{text!r} cannot be a NetBIOS domain name.", "Windows keeps that name for itself.", step
        )
    return name


def check_host(text: str, dns_domain: str, netbios: str) -> str:
    """This machine's short name, lower case; a full name in the new domain is cut to it."""
    name = text.strip().rstrip(".").lower()
    step = "give a short one with --host-name, such as --host-name dc1"
    if name.endswith("." + dns_domain):
        name = name.removesuffix("." + dns_domain)
    if not _LABEL.fullmatch(name) or len(name) > NETBIOS_MAX:
        raise _refuse(
            f"{text!r} cannot be the domain controller's name.",
            "It is not 1 to 15 letters, digits and inner hyphens.",
            step,
        )
    if name.isdigit() or name.upper() in _RESERVED:
        raise _refuse(
            f"{text!r} cannot be the domain controller's name.",
            "It is all digits or a name that Windows keeps for itself.",
            step,
        )
    if name.upper() == netbios:
        raise _refuse(
            f"The host and the domain are both called {netbios!r}.",
            "Their NetBIOS names must differ.",
            "give another --host-name or another --domain",
        )
    return name


def check_site(text: str) -> str:
    """The first site's name: one DNS label, since it becomes part of the locator's DNS names."""
    if len(text) > DNS_LABEL_MAX or not _LABEL.fullmatch(text):
        raise _refuse(
            f"{text!r} cannot be a site name.",
            "It is not 1 to 63 letters, digits and inner hyphens.",
            f"leave --site out to get {DEFAULT_SITE}",
        )
    return text


def check_address(text: str) -> Address:
    """An address that other machines can use to reach this one."""
    step = "give this machine's own address with --host-ip, such as --host-ip 192.0.2.10"
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        raise _refuse(f"{text!r} is not an IP address.", "It is neither IPv4 nor IPv6.", step) from None
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        raise _refuse(f"{text!r} cannot be this host's address.", "It names no single machine.", step)
    return address


def check_forwarder(text: str) -> str:
    """A DNS server to ask for other names: an address, with a port after "#" where it is not 53."""
    step = "give an address, such as --dns-forwarder 192.0.2.53 or --dns-forwarder 192.0.2.53#5353"
    try:
        address, port = parse_server(text)
    except DecodeError as error:
        raise _refuse(f"{text!r} is no DNS forwarder.", f"{error.why}.", step) from None
    return f"{address}#{port}" if "#" in text else address
