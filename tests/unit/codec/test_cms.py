"""CMS as PKINIT needs it: OpenSSL reads what we sign, and we read what it signs."""

import subprocess
from pathlib import Path

import pytest

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.codec import cms
from addc.codec.cms import EncapsulatedContentInfo, SignedData
from addc.codec.pkinit import ID_AUTH_DATA, ID_DH_KEY_DATA
from addc.kdc.pkinit_facts import KdcIdentity
from addc.kdc.pkinit_reply import signed_data
from addc.kdc.pkinit_request import open_signed
from addc.security.crypto import certificate
from addc.security.crypto.signatures import Signer
from tests.kit.certificates import Authority, Wish


def test_openssl_verifies_what_the_kdc_signs(tmp_path: Path) -> None:
    authority = Authority()
    holder = authority.fulfil("kdc", Wish(uses=None))
    paths = holder.write(tmp_path)
    identity = KdcIdentity(certificate.read(holder.der), (), Signer.load(Secret(paths[1].read_bytes())))
    data = signed_data(identity, ID_DH_KEY_DATA, b"the key's info")
    (tmp_path / "signed").write_bytes(cms.ContentInfo(cms.ID_SIGNED_DATA, data).pack())
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    command: list[str | Path] = ["openssl", "cms", "-verify", "-inform", "DER", "-in", tmp_path / "signed"]
    done = subprocess.run(
        [*command, "-CAfile", tmp_path / "ca.pem", "-purpose", "any"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"the key's info"), done.stderr


@pytest.mark.parametrize("more", [(), ("-noattr",), ("-keyid",), ("-md", "sha512"), ("-md", "sha1")])
def test_what_openssl_signs_is_verified(tmp_path: Path, more: tuple[str, ...]) -> None:
    holder = Authority().issue("user")
    pem, key = holder.write(tmp_path)
    (tmp_path / "content").write_bytes(b"an AuthPack")
    subprocess.run(
        [
            "openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-econtent_type", ID_AUTH_DATA,
            "-signer", pem, "-inkey", key, "-outform", "DER", "-in", tmp_path / "content",
            "-out", tmp_path / "signed", *more,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    found = open_signed((tmp_path / "signed").read_bytes(), frozenset((ID_AUTH_DATA,)))
    assert found.content == b"an AuthPack"
    assert found.signer is not None and found.signer.der == holder.der


def test_content_may_be_a_structure_itself_as_in_rfc_2315() -> None:
    content = SignedData(
        version=1,
        digest_algorithms=(),
        encap_content_info=EncapsulatedContentInfo(cms.ID_DATA, b"\x30\x03\x02\x01\x05"),
        signer_infos=(),
    )
    assert content.content() == b"\x30\x03\x02\x01\x05"
    assert content.digested() == b"\x02\x01\x05"


def test_another_content_type_is_refused() -> None:
    with pytest.raises(DecodeError):
        cms.unwrap(cms.ContentInfo(cms.ID_DATA, b"\x04\x00").pack(), cms.ID_SIGNED_DATA)


def test_too_many_certificates_are_refused() -> None:
    data = SignedData(
        version=3,
        digest_algorithms=(),
        encap_content_info=EncapsulatedContentInfo(cms.ID_DATA, None),
        certificates=b"\x30\x00" * 17,
        signer_infos=(),
    )
    with pytest.raises(DecodeError):
        data.certificate_ders()


def test_long_serial_numbers_keep_their_sign() -> None:
    for serial in (0, -1, 0x7F, 0x80, 1 << 159, -(1 << 200)):
        name = cms.IssuerAndSerialNumber(b"\x30\x00", serial)
        assert cms.IssuerAndSerialNumber.unpack(name.pack()).serial_number == serial
