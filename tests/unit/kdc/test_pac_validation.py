"""[MS-APDS] 2.2.4.1, 3.2.5.6: what member servers may ask about a PAC."""

from dataclasses import replace

import pytest

from addc.codec.pac import Pac, PacSignatureData, PacType
from addc.codec.verify_pac import KerbVerifyPacRequest
from addc.codes.ntstatus import NtStatus
from addc.kdc.pac_validation import verify_pac
from addc.kdc.ticket_pac import find_pac
from tests.kit.kdc_realm import FILES, KRBTGT, Client, ring

GOOD, BAD = NtStatus.STATUS_SUCCESS, NtStatus.STATUS_LOGON_FAILURE


@pytest.fixture(scope="module")
def request_() -> KerbVerifyPacRequest:
    """What a file server asks about the ticket that alice brought."""
    inside = Client().log_on().get().opened(FILES.keys.current[18])
    pac = Pac.unpack(find_pac(inside.authorization_data) or b"")
    server, kdc = (
        PacSignatureData.unpack(pac.get(kind) or b"")
        for kind in (PacType.SERVER_CHECKSUM, PacType.PRIVSVR_CHECKSUM)
    )
    return KerbVerifyPacRequest(kdc.signature_type, server.signature, kdc.signature)


def test_what_the_kdc_signed_is_good(request_: KerbVerifyPacRequest) -> None:
    assert verify_pac(request_.pack(), KRBTGT.keys) is GOOD


def test_former_keys_of_krbtgt_still_vouch(request_: KerbVerifyPacRequest) -> None:
    rolled = replace(ring("krbtgt-new"), old=((2, KRBTGT.keys.current),))
    assert verify_pac(request_.pack(), rolled) is GOOD
    assert verify_pac(request_.pack(), ring("krbtgt-new")) is BAD


def test_what_was_changed_is_refused(request_: KerbVerifyPacRequest) -> None:
    for changed in (
        replace(request_, server=bytes(len(request_.server))),
        replace(request_, kdc=bytes(len(request_.kdc))),
        replace(request_, kdc=b""),
        replace(request_, signature_type=-138),
        replace(request_, signature_type=7),
        KerbVerifyPacRequest(request_.signature_type, b"", b""),
    ):
        assert verify_pac(changed.pack(), KRBTGT.keys) is BAD


@pytest.mark.parametrize("size", [0, 3, 15, 16, 20])
def test_what_is_no_request_is_refused(request_: KerbVerifyPacRequest, size: int) -> None:
    assert verify_pac(request_.pack()[:size], KRBTGT.keys) is NtStatus.STATUS_INVALID_PARAMETER
    assert verify_pac(request_.pack() + b"x", KRBTGT.keys) is NtStatus.STATUS_INVALID_PARAMETER
    other = b"\x04" + request_.pack()[1:]
    assert verify_pac(other, KRBTGT.keys) is NtStatus.STATUS_INVALID_PARAMETER


def test_the_message_is_laid_out_as_the_document_says() -> None:
    data = bytes.fromhex("03000000020000001000000003000000aabbccddee")
    assert KerbVerifyPacRequest.unpack(data) == KerbVerifyPacRequest(16, b"\xaa\xbb", b"\xcc\xdd\xee")
    assert KerbVerifyPacRequest(16, b"\xaa\xbb", b"\xcc\xdd\xee").pack() == data
