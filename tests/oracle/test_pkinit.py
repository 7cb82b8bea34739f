"""PKINIT's structures before others' eyes: Samba's PAC decoder, pyasn1's and minikerberos' declarations."""

import warnings

from minikerberos.protocol import rfc4556
from pyasn1.codec.der import decoder
from pyasn1_modules import rfc5652

from addc.codec import cms
from addc.codec.krb5 import AsRep, req_body_bytes
from addc.codec.krb5_numbers import PaType
from addc.codec.pac import Pac, PacCredentialInfo, PacType
from addc.codec.pkinit import PaPkAsRepDh
from addc.kdc.ticket_pac import find_pac
from addc.security.krb_keys import KeyUsage, decrypt
from tests.kit.kdc_realm import ALICE, KRBTGT, NOW, Client
from tests.kit.pkinit_client import Card, CurvePair, ModpPair, PkinitClient
from tests.kit.pkinit_realm import ALICES, Smart
from tests.kit.samba_bindings import ask_samba

_NT_HASH = """
from samba.dcerpc import krb5pac
found = ndr_unpack(krb5pac.PAC_CREDENTIAL_DATA_NDR, bytes.fromhex(given)).ctr.data
(package,) = found.credentials
ntlm = ndr_unpack(krb5pac.PAC_CREDENTIAL_NTLM_SECPKG, bytes(package.credential))
answer = {
    "package": str(package.package_name), "version": ntlm.version, "flags": ntlm.flags,
    "nt": bytes(ntlm.nt_password.hash).hex(), "lm": bytes(ntlm.lm_password.hash).hex(),
}
"""


def test_samba_reads_the_nt_hash_out_of_the_credentials() -> None:
    """[MS-PAC] 2.6."""
    got = Smart().log_on()
    data = find_pac(got.ticket.opened(KRBTGT.keys.current[18]).authorization_data)
    assert data is not None
    buffer = Pac.unpack(data).get(PacType.CREDENTIALS_INFO)
    assert buffer is not None
    plain = decrypt(got.key, KeyUsage.KERB_NON_KERB_SALT, PacCredentialInfo.unpack(buffer).serialized_data)
    assert ask_samba(_NT_HASH, plain.hex()) == {
        "package": "NTLM",
        "version": 0,
        "flags": 2,
        "nt": ALICE.keys.current[23].value.hex(),
        "lm": "00" * 16,
    }


def test_others_read_what_the_kdc_signs() -> None:
    """SignedData by pyasn1's declaration of RFC 5652, KDCDHKeyInfo by minikerberos' of RFC 4556."""
    reply = AsRep.unpack(Smart(PkinitClient(Card(ALICES), ModpPair())).ask().reply)
    (value,) = [one.padata_value for one in reply.padata or () if one.padata_type == PaType.PA_PK_AS_REP]
    data = PaPkAsRepDh.unpack(value).dh_info.dh_signed_data
    info, rest = decoder.decode(data, asn1Spec=rfc5652.ContentInfo())
    assert not rest and str(info["contentType"]) == cms.ID_SIGNED_DATA
    signed, rest = decoder.decode(bytes(info["content"]), asn1Spec=rfc5652.SignedData())
    assert not rest and int(signed["version"]) == 3 and len(signed["certificates"]) == 1
    content = bytes(signed["encapContentInfo"]["eContent"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = rfc4556.KDCDHKeyInfo.load(content).native
    assert found["nonce"] == 99


def test_others_read_what_clients_sign() -> None:
    """AuthPack by minikerberos' declaration: the test client writes what clients write."""
    body = req_body_bytes(Client().as_req().raw)
    for pair in (ModpPair(), CurvePair()):
        pack = PkinitClient(Card(ALICES), pair).auth_pack(body, NOW)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = rfc4556.AuthPack.load(pack.pack()).native
        assert found["pkAuthenticator"]["nonce"] == 99
        assert found["pkAuthenticator"]["paChecksum"] == pack.pk_authenticator.pa_checksum
