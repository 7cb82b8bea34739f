"""How commands log on to a DC elsewhere: by tickets, or by a name and a password.

Kerberos is the first choice, sealed, or within TLS. A password goes to a KDC; where none can be reached, or
where the DC is named by its address, NTLM version 2 proves it (or the password itself, within TLS).

Spec: [MS-ADTS] 5.1.1.1, 5.1.2.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from addc.auth.gss import (
    AuthError,
    GssInitiator,
    InitiatorOptions,
    NoKdcError,
    NoKeysError,
    PasswordLogon,
)
from addc.auth.ntlm_initiator import NtlmIdentity, NtlmInitiator
from addc.base.clock import SystemClock
from addc.base.errors import UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.codes.win32 import Win32
from addc.ldap.client import (
    LDAP_PORT,
    LDAPS_PORT,
    LdapClient,
    NoServerError,
    RefusedError,
    Server,
    connect,
)
from addc.server.admin.remote import RemoteTarget, place_of
from addc.server.admin.target import Place

WAYS: Final = ("kerberos", "ntlm", "simple")
_DEFAULT: Final = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where and as whom.

    user: "alice", "alice@REALM" or "DOMAIN\\\\alice"; "" for the tickets at hand. password: asked for only if
    needed. way: of WAYS, "" for the best. ca: authorities for TLS (PEM), None for the machine's own.
    """

    url: str
    user: str = ""
    password: Callable[[], Secret] | None = None
    way: str = _DEFAULT
    ca: Path | None = None


def server_of(url: str, ca: Path | None = None) -> Server:
    """The server that an URL names: ldap://HOST, ldaps://HOST, a port behind either, or a bare name.

    Raises UserError.
    """
    parts = urlsplit(url if "://" in url else f"ldap://{url}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or port == -1 or parts.path.strip("/"):
        raise UserError(f"{url!r} names no DC. Next step: -H ldap://dc1.example.com, or ldaps://")
    if parts.scheme == "ldap":
        return Server(parts.hostname, port or LDAP_PORT)
    try:
        tls = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise UserError(f"{ca} holds no authorities: {error}. Next step: name a PEM file") from error
    return Server(parts.hostname, port or LDAPS_PORT, tls)


def log_on(wanted: Wanted) -> RemoteTarget:
    """A target that works as `wanted.user`. Raises UserError."""
    server = server_of(wanted.url, wanted.ca)
    client = _connected(server)
    try:
        place = place_of(client, server.host)
        who = _Logon(wanted, server, place)
        client = who.bind(client)
        return RemoteTarget(client, place, wanted.user or "the owner of these tickets")
    except BaseException:
        client.close()
        raise


def _connected(server: Server) -> LdapClient:
    try:
        return connect(server)
    except NoServerError as error:
        hint = "; with TLS, --tls-ca names the authority" if server.tls else ""
        raise UserError(f"{error}. Next step: look at the name, and whether the DC serves{hint}") from error


class _Logon:
    """One attempt, by one way after another."""

    def __init__(self, wanted: Wanted, server: Server, place: Place) -> None:
        self._wanted = wanted
        self._server = server
        self._place = place
        self._password: Secret | None = None

    def _secret(self) -> Secret:
        if self._password is None:
            if self._wanted.password is None:
                raise UserError("No password was given. Next step: --password-file FILE, or - for input")
            self._password = self._wanted.password()
        return self._password

    def bind(self, client: LdapClient) -> LdapClient:
        """The connection, bound; another one where the first way failed before the DC was asked."""
        wanted, by_address = self._wanted, _is_address(self._server.host)
        if not wanted.user:
            if wanted.way not in (_DEFAULT, "kerberos"):
                raise UserError(f"--auth {wanted.way} needs a name. Next step: -U NAME")
            if by_address:
                raise UserError(
                    f"Kerberos knows the DC by its name, not as {self._server.host}. Next step: "
                    f"-H ldap://{self._place.host or 'NAME'}, or -U NAME for a password"
                )
            return self._proved(client, self._kerberos)
        second = self._simple if self._server.tls else self._ntlm
        if wanted.way:
            ways = {"kerberos": self._kerberos, "ntlm": self._ntlm, "simple": self._simple}
            return self._proved(client, ways[wanted.way])
        if by_address:
            return self._proved(client, second)
        try:
            return self._proved(client, self._kerberos)
        except _NoKdcHereError:
            return self._proved(client, second)

    def _proved(self, client: LdapClient, way: Callable[[LdapClient], None]) -> LdapClient:
        try:
            way(client)
        except NoKdcError as error:
            if self._wanted.user and not self._wanted.way:
                raise _NoKdcHereError from error
            raise UserError(
                f"No KDC of {self._place.realm} can be asked: {error}. Next step: see to DNS or krb5.conf"
            ) from error
        except NoKeysError as error:
            raise self._no_keys(error) from error
        except AuthError as error:
            raise UserError(
                f"{self._place.name} does not prove itself, or takes no proof: {error}. Next step: name the "
                "DC as its tickets do, by its DNS name"
            ) from error
        except RefusedError as error:
            raise self._refused(error) from error
        except NoServerError as error:
            raise UserError(f"{self._place.name}: {error}. Next step: look at the DC") from error
        return client

    # --- ways ---

    def _kerberos(self, client: LdapClient) -> None:
        tls = self._server.tls is not None
        # Bare Kerberos, which GSS-SPNEGO takes too: MIT's SPNEGO always signs, which TLS does not allow for.
        binding = client.channel_binding
        options = InitiatorOptions(sealing=not tls, signing=not tls, channel_binding=binding)
        store: dict[str, str] | PasswordLogon = {}
        if self._wanted.user:
            store = PasswordLogon(self._principal(), self._secret())
        target = f"ldap/{self._server.host}@{self._place.realm}"
        client.bind_sasl(GssInitiator(target, store, options), seal=not tls)

    def _ntlm(self, client: LdapClient) -> None:
        if self._server.tls is not None:
            raise UserError("NTLM here seals by itself, without TLS. Next step: -H ldap://, or --auth simple")
        from addc.security.krb_keys import nt_hash  # noqa: PLC0415 - heavy, and for NTLM alone

        domain, user = self._domain_and_user()
        secret = nt_hash(Secret(self._secret().reveal().decode().encode("utf-16-le")))
        identity = NtlmIdentity(user, domain, "", Secret(secret))
        rng, now = SystemRng(), SystemClock().now()
        client.bind_sasl(NtlmInitiator(identity, f"ldap/{self._server.host}", rng, now), seal=True)

    def _simple(self, client: LdapClient) -> None:
        if self._server.tls is None:
            raise UserError("A password goes over TLS alone. Next step: -H ldaps://, or --auth kerberos")
        user = self._wanted.user
        name = user if "@" in user or "\\" in user else f"{user}@{self._place.dns_domain}"
        client.bind_simple(name, self._secret())

    # --- names ---

    def _domain_and_user(self) -> tuple[str, str]:
        domain, backslash, user = self._wanted.user.rpartition("\\")
        return (domain, user) if backslash else ("", self._wanted.user)

    def _principal(self) -> str:
        _, user = self._domain_and_user()
        name, at, realm = user.rpartition("@")
        return f"{name}@{realm.upper()}" if at else f"{user}@{self._place.realm}"

    # --- what goes wrong ---

    def _no_keys(self, error: NoKeysError) -> UserError:
        if self._wanted.user:
            return UserError(
                f"{self._wanted.user} could not log on: {error}. Next step: look at the name and the password"
            )
        return UserError(
            f"There are no Kerberos tickets to work with: {error}. Next step: kinit NAME, or -U NAME for a "
            "password"
        )

    def _refused(self, error: RefusedError) -> UserError:
        who = self._wanted.user or "the owner of these tickets"
        why = next((said for data, said in _BIND_DATA.items() if f"data {data:x}," in error.text), "")
        return UserError(
            f"{self._place.name} does not let {who} log on: {why or error.text.rstrip(chr(0))}. Next step: "
            "look at the name and the password, or choose another way with --auth"
        )


class _NoKdcHereError(Exception):
    """Another way is to be tried."""


_BIND_DATA: Final = {
    int(Win32.ERROR_LOGON_FAILURE): "name or password are wrong",
    int(Win32.ERROR_ACCOUNT_DISABLED): "the account is disabled",
    int(Win32.ERROR_ACCOUNT_LOCKED_OUT): "the account is locked out",
    int(Win32.ERROR_ACCOUNT_EXPIRED): "the account has expired",
    int(Win32.ERROR_PASSWORD_EXPIRED): "the password has expired",
    int(Win32.ERROR_PASSWORD_MUST_CHANGE): "the password has to be changed first",
    int(Win32.ERROR_INVALID_LOGON_HOURS): "not at this hour",
}


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
