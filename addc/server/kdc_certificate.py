"""The KDC's certificate: made where a forest of an earlier version lacks it, read, followed when replaced.

The operator's own may stand in its place, with the authorities above it behind it in the same file.

Spec: RFC 4556 3.2.4, [MS-PKCA] 3.1.5.1
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from addc.base.clock import TICKS_PER_S, SystemClock
from addc.base.data_dir import CA_NAME, KDC_CERTIFICATE_NAME, KDC_KEY_NAME
from addc.base.errors import AddcError, DecodeError, DsError, UserError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.base.whole_file import replace_file
from addc.codes.win32 import Win32
from addc.directory.add import add_object
from addc.directory.context import Forest, WriteContext
from addc.kdc.pkinit_facts import KdcIdentity, PkinitPolicy
from addc.kdc.policy import KdcPolicy
from addc.provision.command import CA_KEY_NAME, ca_name
from addc.provision.config_objects import authorities
from addc.security.crypto import certificate, trust_chain
from addc.security.crypto.certificate import Certificate
from addc.security.crypto.signatures import Signer
from addc.security.crypto.trust_chain import RevocationList
from addc.security.crypto.x509 import KeyPair, make_kdc_certificate
from addc.security.token import SYSTEM
from addc.server.config import SiteConfig
from addc.server.offline import open_directory

_LISTS_MAX: Final = 256
_LIST_SIZE_MAX: Final = 32 << 20
_RENEWED_BEFORE: Final = timedelta(days=30)


def kdc_policy(data_dir: Path, site: SiteConfig) -> KdcPolicy:
    """What this KDC does where the domain sets nothing else. Raises UserError."""
    return KdcPolicy(require_fast=site.kdc_require_fast, pkinit=policy(data_dir, site))


def policy(data_dir: Path, site: SiteConfig) -> PkinitPolicy | None:
    """What PKINIT does here; None where it is off or the KDC has no certificate. Raises UserError."""
    path, key_path = data_dir / KDC_CERTIFICATE_NAME, data_dir / KDC_KEY_NAME
    if not site.kdc_certificate_logons or not path.exists():
        return None
    try:
        own, *above = certificate.read_pem(path.read_bytes())
        signer = Signer.load(Secret(key_path.read_bytes()))
        if not signer.fits(own.spki):
            raise DecodeError("the key is not the certificate's", 0, KDC_KEY_NAME)
    except (OSError, DecodeError) as error:
        raise UserError(
            f"The KDC's certificate cannot be used: {error}. Looked for {path} and {key_path}. Next step: "
            "restore both, or set kdc_certificate_logons to false in config.json."
        ) from error
    chain = tuple(one for one in above if not one.is_self_issued)
    return PkinitPolicy(
        KdcIdentity(own, chain, signer),
        strict_revocation=site.kdc_revocation == "strict",
        fresh=site.kdc_require_freshness,
        anonymous=site.kdc_anonymous_tickets,
        insecure_groups=site.kdc_weak_groups,
        lists=_lists(Path(site.kdc_crl_folder)) if site.kdc_crl_folder else (),
    )


def _lists(folder: Path) -> tuple[RevocationList, ...]:
    """The revocation lists of the operator's folder."""
    found = []
    for path in _list_files(folder):
        try:
            if path.stat().st_size <= _LIST_SIZE_MAX:
                found.append(trust_chain.read_list(path.read_bytes()))
        except (OSError, DecodeError) as error:
            raise UserError(
                f"{path} is no revocation list: {error}. Next step: put one in DER or PEM there, or none."
            ) from error
    return tuple(found)


def _list_files(folder: Path) -> list[Path]:
    try:
        names = sorted(path for path in folder.iterdir() if path.suffix in (".crl", ".pem"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(
            f"The revocation lists in {folder} cannot be read: {error}. "
            "Next step: mend kdc_crl_folder in config.json."
        ) from error
    return names[:_LISTS_MAX]


def stamp(data_dir: Path, site: SiteConfig) -> tuple[object, ...]:
    """Differs when one of the files that `policy` reads was replaced."""
    paths = [data_dir / KDC_CERTIFICATE_NAME, data_dir / KDC_KEY_NAME]
    try:
        paths += _list_files(Path(site.kdc_crl_folder)) if site.kdc_crl_folder else []
    except UserError:
        return ()
    return tuple((str(path), _changed(path)) for path in paths)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


# --- forests of earlier versions ---


def ensure(data_dir: Path, rng: Rng) -> None:
    """Give the KDC a certificate from the forest's own authority, where it has none or that one soon ends.

    An operator's own is let be, whatever its time. So is a forest whose authority is kept elsewhere.
    """
    ca_path, ca_key = data_dir / CA_NAME, data_dir / CA_KEY_NAME
    path = data_dir / KDC_CERTIFICATE_NAME
    if not ca_path.exists() or not ca_key.exists():
        return
    try:
        (authority, *_) = certificate.read_pem(ca_path.read_bytes())
        if path.exists() and not _is_ours_and_ending(path, authority):
            return
        ca = KeyPair(ca_path.read_bytes(), Secret(ca_key.read_bytes()))
        directory = open_directory(data_dir)
        try:
            forest = directory.forest
            hosts = (forest.host_fqdn, forest.dns_domain, forest.host)
            made = make_kdc_certificate(ca, hosts, forest.realm, datetime.now(UTC), rng)
            directory.write_now("server.trust_ca", SYSTEM, lambda ctx: _trust(ctx, forest, authority))
        finally:
            directory.close()
        replace_file(data_dir / KDC_KEY_NAME, made.key.reveal(), 0o600)
        replace_file(path, made.certificate + ca.certificate, 0o644)
    except (OSError, AddcError) as error:
        raise UserError(
            f"The KDC's certificate cannot be made: {error}. "
            f"Next step: give this user {path.parent}, and space on its disk."
        ) from error


def _is_ours_and_ending(path: Path, authority: Certificate) -> bool:
    own = certificate.read_pem(path.read_bytes())[0]
    soon = SystemClock().now() + int(_RENEWED_BEFORE.total_seconds()) * TICKS_PER_S
    return own.not_after < soon < authority.not_after and own.is_issued_by(authority)


def _trust(ctx: WriteContext, forest: Forest, authority: Certificate) -> None:
    """Enter the forest's authority where certificate logons look for it, unless something stands there."""
    for draft in authorities(ca_name(forest.netbios), authority.der, forest.config_dn):
        classes = ("objectClass", [draft.object_class.encode()])
        values = [(name, list(held)) for name, held in draft.attributes.items()]
        try:
            add_object(ctx, draft.dn, [classes, *values])
        except DsError as error:
            if error.code not in (Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS, Win32.ERROR_DS_NO_PARENT_OBJECT):
                raise
