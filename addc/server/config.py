"""What an operator decides: the data folder's config.json and the command's options.

Provision writes the file; `addc serve` reads it. Unknown keys are refused, so that a typing error is seen.
"""

import json
import os
import re
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Never, cast

from addc.base.data_dir import CONFIG_NAME, KEY_NAME
from addc.base.errors import UserError
from addc.base.secret import Secret

PORT_MAX: Final = 65_535
_KEY_BYTES: Final = 32
_NOT_YOURS: Final = "is not for this user. Next step: run as root, or as the user that serves the forest."


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """config.json.

    database: SQLAlchemy URL; sqlite URLs may be relative to the data folder.
    host_ips: the DC's own addresses, as clients know it. listen: addresses to serve on; empty = all.
    dns_forwarders: addresses, with a port after "#" where it is not 53.
    dns_tls_port: of DNS over TLS (RFC 7858); 0 for none.
    allow_simple_bind_in_clear: accept passwords over unprotected LDAP.
    allow_unsigned_sasl: accept SASL binds that sign nothing over unprotected LDAP.
    allow_ntlm: speak NTLM version 2. ldap_channel_binding: of SASL inside TLS.
    tls_client_ca: PEM file of the authorities whose client certificates log on; "" for none.
    password_filter: program and arguments that judge new passwords (password_filter.py); empty for none.
    kdc_proxy_port: of the Kerberos KDC proxy over HTTPS ([MS-KKDCP]); 0 for none.
    kdc_require_fast: people get no ticket without their machine's armor around the request (RFC 6113).
    kdc_certificate_logons: clients may log on with certificates (PKINIT), if the KDC has one itself.
    kdc_require_freshness: certificate logons have to prove that their key is at hand now (RFC 8070).
    kdc_revocation: strict: certificates whose revocation lists are missing or stale are refused; soft: not.
    kdc_crl_folder: revocation lists (*.crl, *.pem) beside those of the directory; "" for none.
    kdc_anonymous_tickets: who has no certificate may have a ticket for FAST armor (RFC 8062).
    kdc_weak_groups: certificate logons over Diffie-Hellman group 2 are answered.
    audit_logons: which tickets and password logons the audit log is told of: all, refused ones, or none.
    rpc_ports: "first-last", of which RPC takes the first that is free; clients ask the endpoint mapper.
    time_service: signed replies on UDP 123 ([MS-SNTP]): auto (if the port is free and ours), on, off.
    ntp_signd_socket: where chrony or ntpd has its own replies signed, a socket's name; "" for nowhere.
    smb_require_signing: unsigned SMB sessions are refused. smb_encryption: off, offered or required.
    sam_change_calls: the calls of SAM by which people change their passwords: strong (AES), all, or none.
    sam_reuse_owners: SDDL naming owners of computer accounts that may be joined to again; "" for none.
    """

    database: str
    host_ips: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    dns_forwarders: tuple[str, ...] = ()
    dns_tls_port: int = 853
    allow_simple_bind_in_clear: bool = False
    allow_unsigned_sasl: bool = False
    allow_ntlm: bool = True
    ldap_channel_binding: str = "when-supported"
    tls_client_ca: str = ""
    password_filter: tuple[str, ...] = ()
    kdc_proxy_port: int = 0
    kdc_require_fast: bool = False
    audit_logons: str = "all"
    kdc_certificate_logons: bool = True
    kdc_require_freshness: bool = False
    kdc_revocation: str = "strict"
    kdc_crl_folder: str = ""
    kdc_anonymous_tickets: bool = False
    kdc_weak_groups: bool = False
    rpc_ports: str = "49152-49251"
    smb_require_signing: bool = True
    smb_encryption: str = "offered"
    time_service: str = "auto"
    ntp_signd_socket: str = ""
    sam_change_calls: str = "strong"
    sam_reuse_owners: str = ""

    @property
    def rpc_port_range(self) -> range:
        first, _, last = self.rpc_ports.partition("-")
        return range(int(first), int(last) + 1)


@dataclass(frozen=True, slots=True)
class Ports:
    """Port numbers; `offset` moves all of them, for runs without root."""

    offset: int = 0

    def of(self, well_known: int) -> int:
        return well_known + self.offset


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """One `addc serve`: the file and the command line together."""

    data_dir: Path
    site: SiteConfig
    listen: tuple[str, ...]
    ports: Ports
    workers: int
    health_port: int
    log_level: str = "info"
    secret_key: Secret = field(default_factory=lambda: Secret(b""))


def default_data_dir() -> Path:
    """ADDC_DATA_DIR, else /var/lib/addc for root, else the user's XDG data folder."""
    named = os.environ.get("ADDC_DATA_DIR")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/addc")
    data_home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data_home) / "addc"


def has_forest(data_dir: Path) -> bool:
    """Whether a forest was provisioned there."""
    return (data_dir / CONFIG_NAME).exists()


def read_site_config(data_dir: Path) -> SiteConfig:
    """The data folder's config.json; UserError says what is wrong with it."""
    path = data_dir / CONFIG_NAME
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"No forest is provisioned in {data_dir}: {path.name} is missing there. "
            f"Next step: addc provision --realm YOUR.REALM --data-dir {data_dir}"
        ) from None
    except PermissionError as error:
        raise UserError(f"{path} {_NOT_YOURS}") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}. Next step: mend or restore that file.") from error
    if why := _wrong(raw):
        known = ", ".join(sorted(SiteConfig.__dataclass_fields__))
        raise UserError(f"{path} is not a configuration: {why}. Known keys: {known}. Next step: mend it.")
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
    site = SiteConfig(**cast("dict[str, Never]", given))  # _wrong() has looked at every type
    return replace(
        site,
        database=resolve_database(site.database, data_dir),
        tls_client_ca=str(data_dir / site.tls_client_ca) if site.tls_client_ca else "",
        kdc_crl_folder=str(data_dir / site.kdc_crl_folder) if site.kdc_crl_folder else "",
        ntp_signd_socket=str(data_dir / site.ntp_signd_socket) if site.ntp_signd_socket else "",
    )


_LISTS: Final = ("host_ips", "listen", "dns_forwarders", "password_filter")
_SWITCHES: Final = (
    "allow_simple_bind_in_clear",
    "allow_unsigned_sasl",
    "allow_ntlm",
    "smb_require_signing",
    "kdc_require_fast",
    "kdc_certificate_logons",
    "kdc_require_freshness",
    "kdc_anonymous_tickets",
    "kdc_weak_groups",
)
_PORTS: Final = ("kdc_proxy_port", "dns_tls_port")
_PATHS: Final = ("tls_client_ca", "kdc_crl_folder", "ntp_signd_socket")
_CHOICES: Final = {
    "ldap_channel_binding": ("never", "when-supported", "always"),
    "audit_logons": ("all", "refused", "none"),
    "kdc_revocation": ("strict", "soft"),
    "smb_encryption": ("offered", "off", "required"),
    "time_service": ("auto", "on", "off"),
    "sam_change_calls": ("strong", "all", "none"),
}


def _wrong(raw: object) -> str:
    """What keeps a decoded config.json from being one; empty if nothing does."""
    if not isinstance(raw, dict):
        return "it is no JSON object"
    if unknown := set(raw) - set(SiteConfig.__dataclass_fields__):
        return f"unknown: {', '.join(sorted(unknown))}"
    if not isinstance(raw.get("database"), str):
        return "database has to be a URL"
    if why := _wrong_value(raw):
        return why
    for name in _LISTS:
        values = raw.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            return f"{name} has to be a list of texts"
    if raw.get("password_filter") and not raw["password_filter"][0].startswith("/"):
        return "password_filter has to begin with the program's full path"
    for text in raw.get("host_ips", []) + raw.get("listen", []):
        if not is_address(text):
            return f"{text!r} is not an IP address"
    return ""


def _wrong_value(raw: dict[str, object]) -> str:
    """What is wrong with a file's name, a switch, a port or a choice; empty if nothing is."""
    for name in _PATHS:
        if not isinstance(raw.get(name, ""), str):
            return f"{name} has to be a file's name"
    for name in _SWITCHES:
        if not isinstance(raw.get(name, False), bool):
            return f"{name} has to be true or false"
    for name in _PORTS:
        port = raw.get(name, 0)
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= PORT_MAX:
            return f"{name} has to be a port number, or 0"
    for name, known in _CHOICES.items():
        if raw.get(name, known[0]) not in known:
            return f"{name} has to be one of {', '.join(known)}"
    if not isinstance(raw.get("sam_reuse_owners", ""), str):
        return "sam_reuse_owners has to be a descriptor in SDDL"
    if not _is_port_range(raw.get("rpc_ports", "1-1")):
        return 'rpc_ports has to be first-last, such as "49152-49251"'
    return ""


def _is_port_range(value: object) -> bool:
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value) if isinstance(value, str) else None
    return found is not None and 0 < int(found[1]) <= int(found[2]) <= PORT_MAX


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def resolve_database(url: str, data_dir: Path) -> str:
    """A sqlite URL with a relative path is below the data folder, wherever that was moved to."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{data_dir.resolve() / url.removeprefix(prefix)}"
    return url


def read_secret_key(data_dir: Path) -> Secret:
    """The key that seals secret attributes; refuses a file that others may read."""
    path = data_dir / KEY_NAME
    try:
        mode = path.stat().st_mode & 0o077
        data = path.read_bytes()
    except PermissionError as error:
        raise UserError(f"{path} {_NOT_YOURS}") from error
    except OSError as error:
        raise UserError(
            f"The key of the directory's secrets cannot be read: {error}. "
            f"Next step: restore {path} from a backup."
        ) from error
    if mode:
        raise UserError(f"{path} may be read by others (mode bits {mode:03o}). Next step: chmod 600 {path}")
    try:
        key = data if len(data) == _KEY_BYTES else bytes.fromhex(data.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise UserError(
            f"{path} does not hold a key of {_KEY_BYTES} bytes. Next step: restore it from a backup."
        )
    return Secret(key)
