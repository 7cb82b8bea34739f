"""Kerberos messages: bytes of the documents' own numbers, what is tolerated, what is refused."""

import pytest

from addc.base.clock import from_unix
from addc.base.errors import DecodeError
from addc.codec import krb5
from addc.codec.ber_wire import header
from addc.codec.krb5_numbers import KdcOptions, MessageType, NameType, PaType, TicketFlags

WHEN = from_unix(1_700_000_000)  # 20231114221320Z

AS_REQ = krb5.AsReq(
    padata=(krb5.PaData(PaType.PA_PAC_REQUEST, bytes.fromhex("3005a0030101ff")),),
    req_body=krb5.KdcReqBody(
        kdc_options=KdcOptions.FORWARDABLE | KdcOptions.RENEWABLE | KdcOptions.RENEWABLE_OK,
        cname=krb5.PrincipalName(NameType.KRB_NT_PRINCIPAL, ("u",)),
        realm="EX.COM",
        sname=krb5.PrincipalName(NameType.KRB_NT_SRV_INST, ("krbtgt", "EX.COM")),
        till=WHEN,
        nonce=0xFFFF_FFFE,
        etype=(18, 17, 23, -135),
    ),
)
AS_REQ_BYTES = bytes.fromhex(
    "6a8195 308192"
    "a103020105 a20302010a"
    "a3153013 3011 a10402020080 a20904073005a0030101ff"
    "a46f306d"
    "a00703050040800010"
    "a10e300c a003020101 a10530031b0175"
    "a2081b0645582e434f4d"
    "a31b3019 a003020102 a1123010 1b066b7262746774 1b0645582e434f4d"
    "a511180f32303233313131343232313332305a"
    "a707020500fffffffe"
    "a80f300d 020112 020111 020117 0202ff79"
)  # fmt: skip


def test_as_req_bytes() -> None:
    assert AS_REQ.pack().hex() == AS_REQ_BYTES.hex()
    assert krb5.AsReq.unpack(AS_REQ_BYTES) == AS_REQ
    assert AS_REQ.msg_type == MessageType.KRB_AS_REQ


def test_body_as_it_came() -> None:
    assert krb5.req_body_bytes(AS_REQ_BYTES) == AS_REQ.req_body.pack()
    # The same body under lengths in the long form: its bytes are what a client's checksum covers.
    body = b"\x30\x84" + len(AS_REQ.req_body.pack()[2:]).to_bytes(4, "big") + AS_REQ.req_body.pack()[2:]
    fields = bytes.fromhex("a103020105a20302010a") + header(0xA4, len(body)) + body
    inner = header(0x30, len(fields)) + fields
    message = header(0x6A, len(inner)) + inner
    assert krb5.AsReq.unpack(message).req_body == AS_REQ.req_body
    assert krb5.req_body_bytes(message) == body
    with pytest.raises(DecodeError):
        krb5.req_body_bytes(message[:20])


def test_an_as_req_is_no_tgs_req() -> None:
    with pytest.raises(DecodeError):
        krb5.TgsReq.unpack(AS_REQ_BYTES)
    tgs = krb5.TgsReq(req_body=AS_REQ.req_body)
    assert tgs.pack()[:1] == b"\x6c"
    assert tgs.msg_type == MessageType.KRB_TGS_REQ
    assert isinstance(tgs, krb5.KdcReq)


def test_wrong_version_is_left_to_the_kdc() -> None:
    data = AS_REQ_BYTES.replace(bytes.fromhex("a103020105"), bytes.fromhex("a103020104"), 1)
    assert krb5.AsReq.unpack(data).pvno == 4


def test_negative_numbers() -> None:
    key = krb5.EncryptionKey(-133, b"k")
    assert key.pack().hex() == "300ba0040202ff7ba1030401" + "6b"
    assert krb5.EncryptionKey.unpack(key.pack()) == key
    checksum = krb5.Checksum(-138, b"1234")
    assert checksum.pack().hex() == "300ea0040202ff76a106040431323334"
    nonce = bytes.fromhex("a7060204fffffffe")
    data = AS_REQ.req_body.pack().replace(bytes.fromhex("a707020500fffffffe"), nonce)
    assert krb5.KdcReqBody.unpack(bytes((0x30, data[1] - 1)) + data[2:]).nonce == -2


def test_short_and_long_flags() -> None:
    body = AS_REQ.req_body.pack()
    short = body.replace(bytes.fromhex("a00703050040800010"), bytes.fromhex("a0050303004080"))
    assert krb5.KdcReqBody.unpack(bytes((0x30, body[1] - 2)) + short[2:]).kdc_options == 0x4080_0000


def test_ticket_and_parts() -> None:
    sealed = krb5.EncryptedData(etype=18, kvno=2, cipher=b"c" * 200)
    ticket = krb5.Ticket(realm="EX.COM", sname=krb5.PrincipalName(2, ("krbtgt", "EX.COM")), enc_part=sealed)
    assert ticket.pack()[:8].hex() == "6182010e3082010a"
    assert krb5.Ticket.unpack(ticket.pack()) == ticket
    part = krb5.EncTicketPart(
        flags=TicketFlags.INITIAL | TicketFlags.PRE_AUTHENT | TicketFlags.ENC_PA_REP,
        key=krb5.EncryptionKey(18, bytes(32)),
        crealm="EX.COM",
        cname=krb5.PrincipalName(1, ("u",)),
        transited=krb5.TransitedEncoding(1, b""),
        authtime=WHEN,
        endtime=WHEN,
        authorization_data=(krb5.AuthorizationDataEntry(1, b"x"),),
    )
    assert krb5.EncTicketPart.unpack(part.pack()) == part
    assert part.pack()[:1] == b"\x63"
    assert bytes.fromhex("a00703050000610000") in part.pack()


def test_names() -> None:
    assert str(krb5.PrincipalName(2, ("krbtgt", "EX.COM"))) == "krbtgt/EX.COM"
    with pytest.raises(DecodeError):
        krb5.PrincipalName.unpack(krb5.PrincipalName(1, ("a",) * 65).pack())
    latin = bytes.fromhex("300ea003020101a1073005 1b035a6ff6".replace(" ", ""))
    name = krb5.PrincipalName.unpack(latin)
    assert name.pack() == latin
    assert name.name_string[0].encode("utf-8", "surrogateescape") == b"Zo\xf6"


def test_keys_and_passwords_stay_out_of_reprs() -> None:
    key = krb5.EncryptionKey(18, b"very secret key!")
    password = krb5.ChangePasswdData(newpasswd=b"very secret key!")
    private = krb5.EncKrbPrivPart(user_data=b"very secret key!", s_address=krb5.HostAddress(2, bytes(4)))
    for value in (key, password, private, (key,)):
        assert "secret" not in repr(value)


def test_kpasswd_data_ignores_what_follows() -> None:
    data = krb5.ChangePasswdData(newpasswd=b"p", targrealm="EX.COM").pack()
    longer = bytes((0x30, data[1] + 5)) + data[2:] + bytes.fromhex("a303020101")
    assert krb5.ChangePasswdData.unpack(longer) == krb5.ChangePasswdData(newpasswd=b"p", targrealm="EX.COM")


def test_microsofts_structures() -> None:
    assert krb5.PaPacRequest.unpack(bytes.fromhex("3005a0030101ff")).include_pac is True
    assert krb5.PaPacOptions(0x4000_0000).pack().hex() == "3009a00703050040000000"
    assert krb5.KerbExtError(0xC000_006E).pack().hex() == "6e0000c00000000001000000"
    assert krb5.KerbErrorData(3, krb5.KerbExtError(0xC000_006E).pack()).pack().hex() == (
        "3015a103020103a20e040c6e0000c00000000001000000"
    )
    with pytest.raises(DecodeError):
        krb5.KerbExtError.unpack(bytes(11))
    user = krb5.S4uUserId(nonce=7, cname=krb5.PrincipalName(1, ("u",)), crealm="EX.COM", options=0x2000_0000)
    request = krb5.PaS4uX509User(user, krb5.Checksum(16, bytes(12)))
    assert krb5.s4u_user_id_bytes(request.pack()) == user.pack()
    package = krb5.KerbDmsaKeyPackage(
        current_keys=(krb5.EncryptionKey(18, bytes(32)),), expiration_interval=WHEN, fetch_interval=WHEN
    )
    assert bytes.fromhex("a411180f") in package.pack()
    assert krb5.KerbDmsaKeyPackage.unpack(package.pack()) == package


def test_fast() -> None:
    armored = krb5.KrbFastArmoredReq(
        armor=krb5.KrbFastArmor(1, b"ap-req"),
        req_checksum=krb5.Checksum(16, bytes(12)),
        enc_fast_req=krb5.EncryptedData(etype=18, cipher=b"c"),
    )
    request = krb5.PaFxFastRequest(armored)
    assert request.pack() == header(0xA0, len(armored.pack())) + armored.pack()
    assert krb5.PaFxFastRequest.unpack(request.pack()) == request
    with pytest.raises(DecodeError):
        krb5.PaFxFastRequest.unpack(b"\xa1" + request.pack()[1:])


@pytest.mark.parametrize("usec", [1_000_000, -1])
def test_microseconds_are_checked(usec: int) -> None:
    with pytest.raises(DecodeError):
        krb5.PaEncTsEnc.unpack(krb5.PaEncTsEnc(WHEN, usec).pack())
