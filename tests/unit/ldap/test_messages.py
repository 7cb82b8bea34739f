"""LDAP messages: exact bytes, both directions, and the fast encoders against the declared ones."""

import pytest

from addc.base.errors import DecodeError
from addc.base.ids import MessageId
from addc.codec.ber_wire import header
from addc.codec.filter import Equal, Present
from addc.ldap import messages as m

ONE = MessageId(1)


def _message(op: m.Request | m.Response, controls: tuple[m.Control, ...] = ()) -> m.LdapMessage:
    return m.LdapMessage(ONE, op, controls)


BOTH_WAYS: list[tuple[str, m.LdapMessage]] = [
    ("300c020101600702010304008000", _message(m.BindRequest(3, "", m.SimpleAuth(b"")))),
    (
        "3018020101601302010304 00a30c 0404 4558 5400 0404 61626364".replace(" ", ""),
        _message(m.BindRequest(3, "", m.SaslCredentials("EXT\0", b"abcd"))),
    ),
    ("300c020101600702010304008900", _message(m.BindRequest(3, "", m.SicilyPackageDiscovery()))),
    ("3010020101600b02010304044e544c4d8a00", _message(m.BindRequest(3, "NTLM", m.SicilyNegotiate(b"")))),
    (
        "300d0201016008020103040 08b0178".replace(" ", ""),
        _message(m.BindRequest(3, "", m.SicilyResponse(b"x"))),
    ),
    (
        "300f020101610a0a010e040004008701 78".replace(" ", ""),
        _message(m.BindResponse(result_code=14, server_sasl_creds=b"x")),
    ),
    ("30050201014200", _message(m.UnbindRequest())),
    (
        "3025020101632004000a01000a0100020100020100010100870b6f626a656374436c6173733000",
        _message(m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ())),
    ),
    (
        "30190201016414040464633d78300c300a040161310504010104 00".replace(" ", ""),
        _message(m.SearchResultEntry("dc=x", (m.PartialAttribute("a", (b"\x01", b"")),))),
    ),
    ("300c02010173070405 6c6461703a".replace(" ", ""), _message(m.SearchResultReference(("ldap:",)))),
    ("300c02010165070a010004000400", _message(m.SearchResultDone(result_code=0))),
    (
        "3014020101650f0a010a04000400a3060404 75726c31".replace(" ", ""),
        _message(m.SearchResultDone(result_code=10, referral=("url1",))),
    ),
    (
        "301d0201016618040464633d783010300e0a01023009040161310404 020102".replace(" ", ""),
        _message(m.ModifyRequest("dc=x", (m.Change(2, m.PartialAttribute("a", (b"\x01\x02",))),))),
    ),
    ("300c02010167070a010004000400", _message(m.ModifyResponse(result_code=0))),
    (
        "30170201016812040464633d78300a30080401613103040178",
        _message(m.AddRequest("dc=x", (m.PartialAttribute("a", (b"x",)),))),
    ),
    ("300c02010169070a014404000400", _message(m.AddResponse(result_code=68))),
    ("30090201014a0464633d78", _message(m.DelRequest("dc=x"))),
    ("300c0201016b070a010004000400", _message(m.DelResponse(result_code=0))),
    (
        "30170201016c12040464633d780404 64633d79 0101ff 8001 7a".replace(" ", ""),
        _message(m.ModifyDnRequest("dc=x", "dc=y", True, "z")),
    ),
    ("300c0201016d070a010004000400", _message(m.ModifyDnResponse(result_code=0))),
    (
        "30130201016e0e040464633d78300604016104 0178".replace(" ", ""),
        _message(m.CompareRequest("dc=x", m.AttributeValueAssertion("a", b"x"))),
    ),
    ("300c0201016f070a010604000400", _message(m.CompareResponse(result_code=6))),
    ("3006020101500105", _message(m.AbandonRequest(MessageId(5)))),
    (
        "300d020101770880 03312e32 8101 78".replace(" ", ""),
        _message(m.ExtendedRequest("1.2", b"x")),
    ),
    (
        "301402010178 0f 0a0100 0400 0400 8a03312e32 8b0178".replace(" ", ""),
        _message(m.ExtendedResponse(result_code=0, response_name="1.2", response_value=b"x")),
    ),
    ("300a0201017905 8003312e32".replace(" ", ""), _message(m.IntermediateResponse("1.2"))),
    (
        "301c0201014a0464633d78a011 3005 0403312e32 3008 0403312e33 0101ff".replace(" ", ""),
        _message(m.DelRequest("dc=x"), (m.Control("1.2"), m.Control("1.3", True))),
    ),
]


@pytest.mark.parametrize(("data", "message"), BOTH_WAYS)
def test_bytes_both_ways(data: str, message: m.LdapMessage) -> None:
    assert message.pack().hex() == data
    assert m.LdapMessage.unpack(bytes.fromhex(data)) == message


def test_search_request_as_windows_writes_it() -> None:
    # Every length in four octets.
    base, attribute = b"DC=x", b"cn"
    filter_ = bytes.fromhex("a384000000100484 00000001 63 0484 00000003 616263".replace(" ", ""))
    fields = (
        b"\x04\x84\x00\x00\x00\x04" + base + bytes.fromhex("0a01020a0100020200c8020178010100")
        + filter_ + bytes.fromhex("308400000008048400000002") + attribute
    )  # fmt: skip
    op = b"\x63\x84" + len(fields).to_bytes(4, "big") + fields
    content = b"\x02\x01\x07" + op
    data = b"\x30\x84" + len(content).to_bytes(4, "big") + content
    found = m.LdapMessage.unpack(data)
    assert found == m.LdapMessage(
        MessageId(7), m.SearchRequest("DC=x", 2, 0, 200, 0x78, False, Equal("c", b"abc"), ("cn",))
    )
    assert m.LdapMessage.unpack(found.pack()) == found


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("unknown operation", "30050201017a00"),
        ("negative message id", "30050201ff4200"),
        ("message id of five bytes", "30090205008000 00004200".replace(" ", "")),
        ("unbind with content", "3006020101420100"),
        ("unknown bind method", "300c020101600702010304008400"),
        ("simple bind as constructed", "300c02010160070201030400a000"),
        ("DN not UTF-8", "30060201014a01ff"),
        ("no operation", "3003020101"),
        ("two operations", "3008020101420042 0000".replace(" ", "")),
        (
            "size limit negative",
            "3025020101632004000a01000a01000201ff020100010100870b6f626a656374436c6173733000",
        ),
        ("empty referral", "300e02010165090a010a04000400a300"),
    ],
)
def test_refused(name: str, data: str) -> None:
    with pytest.raises(DecodeError):
        m.LdapMessage.unpack(bytes.fromhex(data))


def test_unknown_trailing_elements_are_stepped_over() -> None:
    assert m.LdapMessage.unpack(bytes.fromhex("30070201014200" + "8e00")) == _message(m.UnbindRequest())
    done = bytes.fromhex("300e02010165090a010004000400" + "8c00")
    assert m.LdapMessage.unpack(done) == _message(m.SearchResultDone(result_code=0))


def test_sicily_answer() -> None:
    answer = _message(m.BindResponse(result_code=0, matched_dn=b"\xff\xfe"))
    assert m.LdapMessage.unpack(answer.pack()) == answer


def test_secrets_stay_out_of_reprs() -> None:
    for auth in (
        m.SimpleAuth(b"hunter2"), m.SaslCredentials("GSSAPI", b"hunter2"), m.SicilyResponse(b"hunter2"),
    ):  # fmt: skip
        assert "hunter2" not in repr(_message(m.BindRequest(3, "cn=x", auth)))


@pytest.mark.parametrize("sizes", [(0,), (1,), (127,), (128,), (300, 0, 5), (70_000,), ()])
@pytest.mark.parametrize("dn_size", [0, 127, 128, 300])
def test_fast_entry_is_the_declared_entry(sizes: tuple[int, ...], dn_size: int) -> None:
    values = [b"v" * size for size in sizes]
    name = b"n" * (dn_size or 1)
    dn = b"d" * dn_size
    control = (m.Control("1.2.3", False, b"x" * dn_size),)
    fast = m.encode_search_entry(300, dn, [(b"cn", values), (name, [b"x"])], control)
    declared = m.LdapMessage(
        MessageId(300),
        m.SearchResultEntry(
            dn.decode(),
            (m.PartialAttribute("cn", tuple(values)), m.PartialAttribute(name.decode(), (b"x",))),
        ),
        control,
    )
    assert fast == declared.pack()
    assert m.encode_search_entry(1, b"", []) == _message(m.SearchResultEntry("", ())).pack()


@pytest.mark.parametrize("code", [0, 32, 127, 128, 4096])
@pytest.mark.parametrize("text", ["", "é" * 10, "x" * 200])
def test_fast_result_is_the_declared_result(code: int, text: str) -> None:
    referral = ("ldap://a/", "ldap://b/") if code == 32 else ()
    controls = (m.Control("1.2.3"),) if text else ()
    fast = m.encode_result(70_000, m.ModifyResponse, code, text, text, referral=referral, controls=controls)
    declared = m.ModifyResponse(
        result_code=code, matched_dn=text, diagnostic_message=text, referral=referral or None
    )
    assert fast == m.LdapMessage(MessageId(70_000), declared, controls).pack()
    only_message = m.encode_result(1, m.DelResponse, code, diagnostic_message=text)
    assert only_message == _message(m.DelResponse(result_code=code, diagnostic_message=text)).pack()


def test_deep_lengths_do_not_escape() -> None:
    inner = b"\x42\x00"
    data = b"\x02\x01\x01" + inner
    for declared in (len(data) + 1, 2**31, 2**63):
        length = declared.to_bytes(8, "big")
        with pytest.raises(DecodeError):
            m.LdapMessage.unpack(b"\x30\x88" + length + data)
    assert m.LdapMessage.unpack(header(0x30, len(data)) + data) == _message(m.UnbindRequest())


def test_the_fast_reference_is_the_declared_one() -> None:
    url = "ldap://example.com/CN=Configuration,DC=example,DC=com"
    declared = m.LdapMessage(MessageId(7), m.SearchResultReference((url,))).pack()
    assert m.encode_search_reference(MessageId(7), url) == declared
