"""Which DNS server a command asks, how, and with what key.

Spec: RFC 7858 3.1 (profiles), RFC 8945 4 (keys)
"""

import asyncio
import base64
import binascii
import re
import socket
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeVar

from addc.auth.gss import AuthError, NoKdcError
from addc.base.clock import SystemClock
from addc.base.errors import DecodeError, UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.codec.dns_names import parse_name
from addc.dns.client import PORT, TLS_PORT, DnsClient, NameServer, NoReplyError
from addc.dns.tsig import HMAC_ALGORITHMS, HmacKey
from addc.dns.update_client import NoKeyError, NoZoneError

_RESOLV_CONF: Final = Path("/etc/resolv.conf")
_KEY_FILE: Final = re.compile(
    r'key\s+"?(?P<name>[^"\s{]+)"?\s*\{(?=[^}]*algorithm\s+"?(?P<algorithm>[A-Za-z0-9-]+)"?\s*;)'
    r'(?=[^}]*secret\s+"?(?P<secret>[A-Za-z0-9+/=]+)"?\s*;)[^}]*\}'
)
_COMMENT: Final = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is asked. server: a name or an address, "" for the one of this machine's resolv.conf.

    port: 0 for the usual one. tls_ca: authorities that its certificate must come from, under the server's
    name; without them TLS takes any certificate.
    """

    server: str = ""
    port: int = 0
    tcp: bool = False
    tls: bool = False
    tls_ca: Path | None = None
    tls_name: str = ""
    timeout_s: float = 5.0


def client_of(way: Way, key: HmacKey | None = None) -> DnsClient:
    """A client of the server. Raises UserError."""
    address = address_of(way.server) if way.server else _own_server()
    tls = _tls(way) if way.tls or way.tls_ca is not None else None
    port = way.port or (TLS_PORT if tls is not None else PORT)
    server = NameServer(address, port, tls, way.tls_name or way.server)
    client = DnsClient(server, SystemRng(), SystemClock(), key=key)
    client.tcp = client.tcp or way.tcp
    client.timeout_s = way.timeout_s
    return client


def _tls(way: Way) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=way.tls_ca)
    except OSError as error:
        raise UserError(f"{way.tls_ca} holds no authorities: {error}. Next step: name a PEM file") from error
    if way.tls_ca is None:  # the opportunistic profile: against who listens, not who pretends
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def address_of(server: str) -> str:
    """The address of a server that is named. Raises UserError."""
    try:
        return str(ip_address(server.partition("%")[0])) + server[len(server.partition("%")[0]) :]
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(server, PORT, type=socket.SOCK_DGRAM)[0][4][0])
    except OSError as error:
        raise UserError(
            f"The server {server} has no address: {error.strerror}. Next step: name it by its address"
        ) from error


def _own_server() -> str:
    try:
        lines = _RESOLV_CONF.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            return words[1]
    raise UserError(f"{_RESOLV_CONF} names no server. Next step: name one, as @192.0.2.1 or --server")


def key_of_file(path: Path) -> HmacKey:
    """The key of a file as tsig-keygen writes it. Raises UserError."""
    try:
        text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}. Next step: name a key file") from error
    found = _KEY_FILE.search(text)
    if found is None:
        raise UserError(f"{path} holds no key. Next step: write one with tsig-keygen -a hmac-sha256 NAME")
    algorithm = found.group("algorithm").lower()
    if algorithm not in HMAC_ALGORITHMS:
        raise UserError(f"{path} is for {algorithm}. Next step: a key of {', '.join(HMAC_ALGORITHMS)}")
    try:
        secret = Secret(base64.b64decode(found.group("secret"), validate=True))
        return HmacKey(parse_name(found.group("name")), algorithm, secret)
    except (binascii.Error, DecodeError) as error:
        raise UserError(f"{path} holds no key: {error}. Next step: tsig-keygen writes one") from error


def run(work: Coroutine[None, None, T]) -> T:
    """Do it; what a server or a KDC refuses is told in people's words. Raises UserError."""
    try:
        return asyncio.run(work)
    except NoReplyError as error:
        raise UserError(f"{error}. Next step: look at the server's address, and whether it serves") from error
    except NoZoneError as error:
        raise UserError(f"{error}. Next step: name a server that knows it (--server)") from error
    except (NoKeyError, NoKdcError, AuthError) as error:
        raise UserError(f"Kerberos: {error}. Next step: kinit, or --keytab, --key or --unsigned") from error
