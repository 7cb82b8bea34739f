"""The other side of a forest trust, written into a Samba DC's database: what its LSA would write there."""

from typing import Final

from addc.base.clock import FileTime
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.directory.trust_namespaces import single_domain
from addc.security.trusts import trust_auth_info
from tests.kit.samba_bindings import ask_samba
from tests.kit.samba_peer import DOMAIN_DN, SambaPeer

_OPEN: Final = """
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
import ldb
lp = LoadParm()
lp.load(given["conf"])
db = SamDB(url=lp.private_path("sam.ldb"), session_info=system_session(), lp=lp)
"""
_TRUST: Final = """
db.add({
    "dn": "CN=%s,CN=System,%s" % (given["partner"], given["base"]),
    "objectClass": "trustedDomain", "trustPartner": given["partner"], "flatName": given["flat"],
    "securityIdentifier": bytes.fromhex(given["sid"]), "trustDirection": "3", "trustType": "2",
    "trustAttributes": "8", "msDS-SupportedEncryptionTypes": "24",
    "trustAuthIncoming": bytes.fromhex(given["auth"]), "trustAuthOutgoing": bytes.fromhex(given["auth"]),
    "msDS-TrustForestTrustInfo": bytes.fromhex(given["forest"]),
}, controls=["relax:0"])
db.add({
    "dn": "CN=%s$,CN=Users,%s" % (given["flat"], given["base"]),
    "objectClass": "user", "sAMAccountName": given["flat"] + "$", "userAccountControl": "2080",
    "clearTextPassword": given["password"].encode("utf-16-le"),
}, controls=["relax:0", "local_oid:1.3.6.1.4.1.7165.4.3.23:0"])  # DSDB_CONTROL_PERMIT_INTERDOMAIN_TRUST_UAC
answer = {}
"""
_USER: Final = """
db.newuser(given["name"], given["password"])
found = db.search(given["base"], ldb.SCOPE_SUBTREE, "(sAMAccountName=%s)" % given["name"], ["objectSid"])
from samba.dcerpc import security
answer = {"sid": str(ndr_unpack(security.dom_sid, found[0]["objectSid"][0]))}
"""
_SID: Final = """
answer = {"sid": db.get_domain_sid()}
"""


def domain_sid(peer: SambaPeer) -> Sid:
    return Sid.parse(str(ask_samba(_OPEN + _SID, {"conf": str(peer.conf)})["sid"]))


def add_user(peer: SambaPeer, name: str, password: str) -> Sid:
    given = {"conf": str(peer.conf), "name": name, "password": password, "base": DOMAIN_DN}
    return Sid.parse(str(ask_samba(_OPEN + _USER, given)["sid"]))


def add_trust(peer: SambaPeer, partner: str, flat: str, sid: Sid, password: str) -> None:
    """Both directions, with one secret."""
    when = FileTime(130_000_000_000_000_000)
    secret = Secret(password.encode("utf-16-le"))
    given = {
        "conf": str(peer.conf),
        "base": DOMAIN_DN,
        "partner": partner,
        "flat": flat,
        "sid": bytes(sid).hex(),
        "auth": trust_auth_info(secret, when, 1).pack().hex(),
        "forest": single_domain(partner, flat, sid, when).pack().hex(),
        "password": password,
    }
    ask_samba(_OPEN + _TRUST, given)
