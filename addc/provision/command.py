"""Makes a new forest: plan, database, keys, certificates and configuration, all of it or nothing.

Spec: [MS-ADTS] 6.1.1
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from addc.base import data_dir
from addc.base.clock import FileTime, SystemClock, to_unix
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.provision.answers import Answers
from addc.provision.client_files import krb5_conf
from addc.provision.folder import PRIVATE, PUBLIC, NewFolder, new_folder
from addc.provision.forest import create_forest, secret_attributes
from addc.provision.plan import Authority, ForestPlan, make_plan
from addc.schema.loader import load_base
from addc.security.crypto.certificate import read_pem
from addc.security.crypto.x509 import (
    KeyPair,
    make_ca,
    make_kdc_certificate,
    make_server_certificate,
)
from addc.store.engine import Store

CA_KEY_NAME: Final = "tls/ca.key"
_KEY_BYTES: Final = 32
_SQLITE: Final = "sqlite:///"

Report = dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """What to make, and where.

    database: a URL; None is a file of its own in the data folder. forwarders: DNS servers for other names.
    """

    answers: Answers
    data_dir: Path
    database: str | None
    forwarders: tuple[str, ...]


def rehearse(request: Request, rng: Rng) -> Report:
    """What `provision` would make; nothing is written."""
    now = SystemClock().now()
    return _report(request, make_plan(request.answers, rng, now, _authority(_make_ca(request, now, rng))))


def provision(request: Request, rng: Rng, progress: Callable[[str], None]) -> Report:
    """Make the forest and tell what it is; if that fails or is interrupted, nothing of it stays."""
    now = SystemClock().now()
    with new_folder(request.data_dir) as folder:
        progress("planning the forest")
        ca = _make_ca(request, now, rng)
        plan = make_plan(request.answers, rng, now, _authority(ca))
        key = Secret(rng.bytes(_KEY_BYTES))
        schema = load_base()
        progress("creating the database")
        url = _building_url(request, folder)
        store = Store.create(url, key, secret_attributes(schema), rng)
        try:
            progress(f"adding {len(plan.objects)} objects")
            create_forest(store, schema, plan, now, rng)
            store.close()
            progress("writing keys, certificates and configuration")
            _write_files(request, folder, key)
            _write_certificates(request, folder, ca, now, rng)
            folder.commit(data_dir.CONFIG_NAME)
        except BaseException:
            if not folder.is_committed:
                store.discard()
            raise
        progress("done")
    return _report(request, plan)


def _is_own_file(request: Request) -> bool:
    """Whether the database is a file in the data folder."""
    url = request.database
    return url is None or (url.startswith(_SQLITE) and not url.startswith(_SQLITE + "/"))


def _configured_url(request: Request) -> str:
    return request.database or _SQLITE + data_dir.DATABASE_NAME


def _building_url(request: Request, folder: NewFolder) -> str:
    url = _configured_url(request)
    return f"{_SQLITE}{folder.path / url.removeprefix(_SQLITE)}" if _is_own_file(request) else url


def _make_ca(request: Request, now: FileTime, rng: Rng) -> KeyPair:
    return make_ca(ca_name(request.answers.netbios), _utc(now), rng)


def ca_name(netbios: str) -> str:
    """The common name of a forest's own authority."""
    return f"{netbios} addc CA"


def _authority(ca: KeyPair) -> Authority:
    (found,) = read_pem(ca.certificate)
    return Authority(found.issuer_text.removeprefix("CN="), found.der)


def _utc(now: FileTime) -> datetime:
    return datetime.fromtimestamp(to_unix(now), UTC)


def _write_certificates(request: Request, folder: NewFolder, ca: KeyPair, now: FileTime, rng: Rng) -> None:
    """The authority, and what it signed: certificates for TLS and for the KDC."""
    answers, when = request.answers, _utc(now)
    hosts = (answers.host_fqdn, answers.dns_domain, answers.host)
    server = make_server_certificate(ca, hosts, answers.addresses, when, rng)
    kdc = make_kdc_certificate(ca, hosts, answers.realm, when, rng)
    folder.write(data_dir.CA_NAME, ca.certificate)
    folder.write(CA_KEY_NAME, ca.key.reveal(), PRIVATE)
    folder.write(data_dir.CERTIFICATE_NAME, server.certificate + ca.certificate)
    folder.write(data_dir.CERTIFICATE_KEY_NAME, server.key.reveal(), PRIVATE)
    folder.write(data_dir.KDC_CERTIFICATE_NAME, kdc.certificate + ca.certificate)
    folder.write(data_dir.KDC_KEY_NAME, kdc.key.reveal(), PRIVATE)


def _write_files(request: Request, folder: NewFolder, key: Secret) -> None:
    answers = request.answers
    if _is_own_file(request):
        (folder.path / _configured_url(request).removeprefix(_SQLITE)).chmod(PRIVATE)
    folder.write(data_dir.KEY_NAME, key.reveal().hex().encode() + b"\n", PRIVATE)
    folder.write(data_dir.KRB5_CONF_NAME, krb5_conf(answers))
    config = {
        "database": _configured_url(request),
        "host_ips": [str(address) for address in request.answers.addresses],
        "dns_forwarders": list(request.forwarders),
        "listen": [],
    }
    mode = PUBLIC if _is_own_file(request) else PRIVATE  # a server's URL may hold a password
    folder.write(data_dir.CONFIG_NAME, json.dumps(config, indent=2).encode() + b"\n", mode)


def _report(request: Request, plan: ForestPlan) -> Report:
    answers = request.answers
    return {
        "realm": answers.realm,
        "dns_domain": answers.dns_domain,
        "netbios_domain": answers.netbios,
        "domain_sid": str(plan.identities.domain_sid),
        "host": answers.host_fqdn,
        "site": answers.site,
        "addresses": [str(address) for address in answers.addresses],
        "dns_forwarders": list(request.forwarders),
        "objects": len(plan.objects),
        "administrator": f"Administrator@{answers.realm}",
        "data_dir": str(request.data_dir),
        "ca_certificate": str(request.data_dir / data_dir.CA_NAME),
        "krb5_conf": str(request.data_dir / data_dir.KRB5_CONF_NAME),
    }
