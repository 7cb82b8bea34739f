"""Trusted domains over lsarpc: every way to make one, every class of information, and who is refused."""

import pytest

from addc.base.clock import FileTime
from addc.codec.blobs import TRUST_AUTH_TYPE_CLEAR, TRUST_AUTH_TYPE_NT4OWF, AuthInformation, TrustAuthInfo
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle, Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, trusts
from addc.directory.trusts import Trust
from addc.rpc.interfaces.lsarpc import idl
from addc.rpc.interfaces.lsarpc.idl import TrustedInformationClass as Class
from addc.security import lsa_cipher
from addc.security.lsa_cipher import TrustAuthBlob
from tests.kit.lsa_desk import KEY, MAXIMUM, LsaClient, lsa_client

PARTNER = Sid.parse("S-1-5-21-71-72-73")
INBOUND, OUTBOUND, BOTH = 1, 2, 3
FOREST = 0x8
SALT = bytes(16)


def _info(
    direction: int = BOTH, kind: int = 2, attributes: int = 0, number: int = 0
) -> idl.TrustedDomainInformationEx:
    sid = Sid.parse(f"S-1-5-21-71-72-{73 + number}")
    name, flat = f"partner{number}.test", f"PARTNER{number}"
    return idl.TrustedDomainInformationEx(name, flat, sid, direction, kind, attributes)


def _auth(text: str, kind: int = TRUST_AUTH_TYPE_CLEAR) -> TrustAuthInfo:
    one = AuthInformation(FileTime(5), kind, text.encode("utf-16-le"))
    return TrustAuthInfo((one,), ())


BLOB = TrustAuthBlob(_auth("incoming"), _auth("outgoing"))


def _plain(blob: TrustAuthBlob = BLOB) -> idl.TrustedDomainAuthInformation:
    def one(info: TrustAuthInfo) -> idl.LsaprAuthInformation:
        (found,) = info.current
        return idl.LsaprAuthInformation(found.last_update_ft, found.auth_type, found.auth_info)

    return idl.TrustedDomainAuthInformation(1, one(blob.incoming), None, 1, one(blob.outgoing), None)


def _rc4(blob: TrustAuthBlob = BLOB, key: bytes = KEY) -> idl.TrustedDomainAuthBlob:
    return idl.TrustedDomainAuthBlob(lsa_cipher.seal_rc4(key, blob, bytes(512)))


def _aes(blob: TrustAuthBlob = BLOB, key: bytes = KEY) -> idl.LsaprAesCipherValue:
    auth_data, cipher = lsa_cipher.seal_aes(key, SALT, blob.pack(bytes(512)))
    return idl.LsaprAesCipherValue(auth_data, SALT, cipher)


def _made(lsa: LsaClient, form: str, info: idl.TrustedDomainInformationEx) -> Ndr:
    policy = lsa.policy
    if form == "ex":
        return idl.LsarCreateTrustedDomainEx(policy, info, _plain(), MAXIMUM)
    if form == "ex2":
        return idl.LsarCreateTrustedDomainEx2(policy, info, _rc4(), MAXIMUM)
    return idl.LsarCreateTrustedDomainEx3(policy, info, _aes(), MAXIMUM)


def _create(lsa: LsaClient, info: idl.TrustedDomainInformationEx | None = None) -> ContextHandle:
    request = idl.LsarCreateTrustedDomainEx2(lsa.policy, info or _info(), _rc4(), MAXIMUM)
    return lsa.done(request, idl.LsarCreateTrustedDomainEx2Response).trusted_domain_handle


def _trust(lsa: LsaClient, name: str = "partner0.test") -> Trust:
    found = lsa.corp.read(lambda ctx: trusts.find(ctx, name))
    assert found is not None
    return found


def _query(lsa: LsaClient, handle: ContextHandle, information_class: int) -> object:
    request = idl.LsarQueryInfoTrustedDomain(handle, information_class)
    found = lsa.done(request, idl.LsarQueryInfoTrustedDomainResponse).trusted_domain_information
    assert found is not None
    return found.value


@pytest.mark.parametrize("form", ["ex", "ex2", "ex3"])
def test_a_trust_in_every_form_with_its_secrets_w_trust_01(lsa: LsaClient, form: str) -> None:
    lsa.done(_made(lsa, form, _info()))
    one = _trust(lsa)
    assert one.incoming is not None
    assert one.outgoing is not None
    assert one.incoming.current.clear is not None
    assert one.incoming.current.clear.reveal() == "incoming".encode("utf-16-le")
    assert one.outgoing.current.clear is not None
    assert one.outgoing.current.clear.reveal() == "outgoing".encode("utf-16-le")
    assert lsa.corp.read(lambda ctx: accounts.find_by_sam(ctx, "PARTNER0$")) is not None
    again = _made(lsa, form, _info())
    assert lsa.refused(again) == NtStatus.STATUS_OBJECT_NAME_COLLISION


def test_the_old_form_makes_an_outbound_trust_without_secrets_lsad_3_1_4_7_12(lsa: LsaClient) -> None:
    given = idl.LsaprTrustInformation("TORTURE100", PARTNER)
    made = lsa.done(
        idl.LsarCreateTrustedDomain(lsa.policy, given, MAXIMUM), idl.LsarCreateTrustedDomainResponse
    )
    shown = _query(lsa, made.trusted_domain_handle, Class.EX)
    assert shown == idl.TrustedDomainInformationEx("TORTURE100", "TORTURE100", PARTNER, OUTBOUND, 1, 0)


@pytest.mark.parametrize(
    ("info", "status"),
    [
        (idl.TrustedDomainInformationEx("", "X", PARTNER, 2, 2, 0), NtStatus.STATUS_INVALID_PARAMETER),
        (idl.TrustedDomainInformationEx("x.test", "X", PARTNER, 4, 2, 0), NtStatus.STATUS_INVALID_PARAMETER),
        (idl.TrustedDomainInformationEx("x.test", "X", PARTNER, 2, 9, 0), NtStatus.STATUS_INVALID_PARAMETER),
        (
            idl.TrustedDomainInformationEx("x.test", "X", Sid.parse("S-1-5-32"), 2, 2, 0),
            NtStatus.STATUS_INVALID_SID,
        ),
        (
            idl.TrustedDomainInformationEx("x.test", "X", PARTNER, 2, 2, 0x28),
            NtStatus.STATUS_INVALID_PARAMETER,
        ),
    ],
)
def test_trusts_that_mean_nothing_lsad_3_1_4_7_10(
    lsa: LsaClient, info: idl.TrustedDomainInformationEx, status: NtStatus
) -> None:
    assert lsa.refused(_made(lsa, "ex2", info)) == status


def test_no_trust_with_oneself(lsa: LsaClient) -> None:
    forest = lsa.corp.forest
    info = idl.TrustedDomainInformationEx(forest.dns_domain, "OTHER", PARTNER, OUTBOUND, 2, 0)
    assert lsa.refused(_made(lsa, "ex2", info)) == NtStatus.STATUS_CURRENT_DOMAIN_NOT_ALLOWED


def test_secrets_under_another_key_make_no_trust(lsa: LsaClient) -> None:
    wrong = bytes(range(1, 17))
    for request in (
        idl.LsarCreateTrustedDomainEx2(lsa.policy, _info(), _rc4(key=wrong), MAXIMUM),
        idl.LsarCreateTrustedDomainEx3(lsa.policy, _info(), _aes(key=wrong), MAXIMUM),
        idl.LsarCreateTrustedDomainEx3(
            lsa.policy, _info(), idl.LsaprAesCipherValue(bytes(64), SALT, b"short"), MAXIMUM
        ),
    ):
        assert lsa.refused(request) == NtStatus.STATUS_INVALID_PARAMETER
    hashes = TrustAuthBlob(_auth("x" * 8, TRUST_AUTH_TYPE_NT4OWF), _auth("x" * 8, TRUST_AUTH_TYPE_NT4OWF))
    request = idl.LsarCreateTrustedDomainEx2(lsa.policy, _info(), _rc4(hashes), MAXIMUM)
    assert lsa.refused(request) == NtStatus.STATUS_NOT_SUPPORTED
    assert lsa.corp.read(trusts.trusted_domains) == ()


def test_every_class_that_can_be_queried_lsad_3_1_4_7_13(lsa: LsaClient) -> None:
    handle = _create(lsa)
    ex = _info()
    assert _query(lsa, handle, Class.NAME) == idl.TrustedDomainNameInfo("PARTNER0")
    assert _query(lsa, handle, Class.EX) == ex
    offset = _query(lsa, handle, Class.POSIX_OFFSET)
    assert offset == idl.TrustedPosixOffsetInfo(_trust(lsa).posix_offset)
    full = _query(lsa, handle, Class.FULL)
    assert isinstance(full, idl.TrustedDomainFullInformation)
    assert (full.information, full.auth_information) == (ex, idl.TrustedDomainAuthInformation())
    assert _query(lsa, handle, Class.SUPPORTED_ENCRYPTION_TYPES) == (
        idl.TrustedDomainSupportedEncryptionTypes(0)
    )
    for one in (Class.AUTH, Class.AUTH_INTERNAL, Class.FULL_INTERNAL, Class.AUTH_INTERNAL_AES):
        request = idl.LsarQueryInfoTrustedDomain(handle, one)
        assert lsa.refused(request) == NtStatus.STATUS_INVALID_INFO_CLASS
    for number in (Class.CONTROLLERS, Class.PASSWORD, Class.BASIC, Class.EX2_INTERNAL, 99):
        request = idl.LsarQueryInfoTrustedDomain(handle, number)
        assert lsa.refused(request) == NtStatus.STATUS_INVALID_PARAMETER


def test_trusts_by_name_and_by_sid_lsad_3_1_4_7_2(lsa: LsaClient) -> None:
    _create(lsa)
    for name in ("partner0.test", "PARTNER0", "Partner0.test."):
        found = lsa.done(
            idl.LsarQueryTrustedDomainInfoByName(lsa.policy, name, Class.EX),
            idl.LsarQueryTrustedDomainInfoByNameResponse,
        )
        assert found.trusted_domain_information == Tagged(Class.EX, _info())
    lsa.done(idl.LsarQueryTrustedDomainInfo(lsa.policy, PARTNER, Class.EX))
    lsa.done(idl.LsarOpenTrustedDomain(lsa.policy, PARTNER, MAXIMUM))
    stranger = Sid.parse("S-1-5-21-9-9-9")
    for request, status in (
        (
            idl.LsarQueryTrustedDomainInfoByName(lsa.policy, "x", 6),
            NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
        ),
        (
            idl.LsarOpenTrustedDomainByName(lsa.policy, "x", MAXIMUM),
            NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
        ),
        (idl.LsarOpenTrustedDomain(lsa.policy, stranger, MAXIMUM), NtStatus.STATUS_NO_SUCH_DOMAIN),
        (idl.LsarQueryTrustedDomainInfo(lsa.policy, stranger, 6), NtStatus.STATUS_NO_SUCH_DOMAIN),
        (
            idl.LsarOpenTrustedDomain(lsa.policy, Sid.parse("S-1-5-32-544"), MAXIMUM),
            NtStatus.STATUS_INVALID_PARAMETER,
        ),
    ):
        assert lsa.refused(request) == status


def test_direction_and_attributes_change_and_the_account_with_them_lsad_3_1_4_7_14(lsa: LsaClient) -> None:
    handle = _create(lsa)

    def account() -> bool:
        return lsa.corp.read(lambda ctx: accounts.find_by_sam(ctx, "PARTNER0$")) is not None

    def put(direction: int, attributes: int) -> None:
        info = Tagged(Class.EX, _info(direction, attributes=attributes))
        lsa.done(idl.LsarSetInformationTrustedDomain(handle, Class.EX, info))

    put(OUTBOUND, 4)
    assert (int(_trust(lsa).direction), int(_trust(lsa).attributes), account()) == (OUTBOUND, 4, False)
    put(BOTH, 0)
    assert (int(_trust(lsa).direction), account()) == (BOTH, True)


def test_new_secrets_make_the_present_ones_the_former_w_trust_08(lsa: LsaClient) -> None:
    _create(lsa)
    fresh = TrustAuthBlob(_auth("in two"), _auth("out two"))
    for information_class, value in (
        (Class.AUTH_INTERNAL, _rc4(fresh)),
        (Class.AUTH_INTERNAL_AES, _aes(fresh)),
        (Class.AUTH, _plain(fresh)),
    ):
        lsa.done(
            idl.LsarSetTrustedDomainInfoByName(
                lsa.policy, "partner0.test", information_class, Tagged(information_class, value)
            )
        )
        one = _trust(lsa)
        assert one.incoming is not None
        assert one.incoming.current.clear is not None
        assert one.incoming.current.clear.reveal() == "in two".encode("utf-16-le")
    posix = Tagged(Class.POSIX_OFFSET, idl.TrustedPosixOffsetInfo(77))
    lsa.done(idl.LsarSetTrustedDomainInfo(lsa.policy, PARTNER, Class.POSIX_OFFSET, posix))
    kinds = Tagged(Class.SUPPORTED_ENCRYPTION_TYPES, idl.TrustedDomainSupportedEncryptionTypes(0x18))
    lsa.done(idl.LsarSetTrustedDomainInfoByName(lsa.policy, "PARTNER0", kinds.tag, kinds))
    assert (_trust(lsa).posix_offset, _trust(lsa).supported_enctypes) == (77, 0x18)
    full = idl.TrustedDomainFullInformationInternal(_info(OUTBOUND), 78, _rc4(fresh))
    every = Tagged(Class.FULL_INTERNAL, full)
    lsa.done(idl.LsarSetTrustedDomainInfoByName(lsa.policy, "PARTNER0", every.tag, every))
    assert (_trust(lsa).posix_offset, int(_trust(lsa).direction)) == (78, OUTBOUND)


def test_classes_that_cannot_be_set(lsa: LsaClient) -> None:
    handle = _create(lsa)
    for value in (
        Tagged(Class.NAME, idl.TrustedDomainNameInfo("x")),
        Tagged(Class.CONTROLLERS, idl.TrustedControllersInfo(None)),
    ):
        request = idl.LsarSetInformationTrustedDomain(handle, value.tag, value)
        assert lsa.refused(request) == NtStatus.STATUS_INVALID_PARAMETER


def _enumerated(lsa: LsaClient, size: int) -> tuple[list[int], list[str | None]]:
    statuses, names, context = [], [], 0
    while True:
        request = idl.LsarEnumerateTrustedDomainsEx(lsa.policy, context, size)
        found = lsa.ask(request, idl.LsarEnumerateTrustedDomainsExResponse)
        statuses.append(int(found.status))
        names += [one.flat_name for one in found.enumeration_buffer.enumeration_buffer or ()]
        assert found.enumeration_context > context
        context = found.enumeration_context
        if found.status != NtStatus.STATUS_MORE_ENTRIES:
            return statuses, names


def test_trusts_are_enumerated_in_pages_lsad_3_1_4_7_7(lsa: LsaClient) -> None:
    assert _enumerated(lsa, 0xFFFF) == ([NtStatus.STATUS_NO_MORE_ENTRIES], [])
    for number in range(4):
        _create(lsa, _info((number % 3) + 1, number=number))
    statuses, names = _enumerated(lsa, 82 * 3)
    assert statuses == [NtStatus.STATUS_MORE_ENTRIES, NtStatus.STATUS_SUCCESS]
    assert names == ["PARTNER0", "PARTNER1", "PARTNER2", "PARTNER3"]
    old = lsa.done(
        idl.LsarEnumerateTrustedDomains(lsa.policy, 0, 0xFFFF), idl.LsarEnumerateTrustedDomainsResponse
    )
    assert [one.name for one in old.enumeration_buffer.information or ()] == ["PARTNER1", "PARTNER2"]


def test_trusts_end_with_their_accounts_lsad_3_1_4_7_4(lsa: LsaClient) -> None:
    handle = _create(lsa)
    lsa.done(idl.LsarDeleteTrustedDomain(lsa.policy, PARTNER))
    assert lsa.corp.read(lambda ctx: accounts.find_by_sam(ctx, "PARTNER0$")) is None
    gone = idl.LsarQueryInfoTrustedDomain(handle, Class.EX)
    assert lsa.refused(gone) == NtStatus.STATUS_INVALID_HANDLE
    lsa.done(idl.LsarDeleteObject(_create(lsa)))
    again = idl.LsarDeleteTrustedDomain(lsa.policy, PARTNER)
    assert lsa.refused(again) == NtStatus.STATUS_NO_SUCH_DOMAIN


def test_users_make_change_and_end_no_trusts_w_trust_03(lsa: LsaClient) -> None:
    _create(lsa)
    lsa.corp.user("ann")
    ann = lsa_client(lsa.desk, lsa.corp.token("ann"))
    ann.done(idl.LsarQueryTrustedDomainInfo(ann.policy, PARTNER, Class.EX))
    posix = Tagged(Class.POSIX_OFFSET, idl.TrustedPosixOffsetInfo(77))
    auth = Tagged(Class.AUTH_INTERNAL, _rc4())
    for request in (
        _made(ann, "ex2", _info(number=5)),
        idl.LsarCreateTrustedDomain(ann.policy, idl.LsaprTrustInformation("X", PARTNER), MAXIMUM),
        idl.LsarSetTrustedDomainInfo(ann.policy, PARTNER, Class.POSIX_OFFSET, posix),
        idl.LsarSetTrustedDomainInfoByName(ann.policy, "PARTNER0", auth.tag, auth),
        idl.LsarDeleteTrustedDomain(ann.policy, PARTNER),
        idl.LsarOpenTrustedDomain(ann.policy, PARTNER, 0x20),
        idl.LsarQueryTrustedDomainInfo(ann.policy, PARTNER, Class.FULL),
        idl.LsarQueryForestTrustInformation(ann.policy, "partner0.test", 2),
    ):
        assert ann.refused(request) == NtStatus.STATUS_ACCESS_DENIED, request
    assert _trust(lsa).posix_offset != 77


# --- forests -----------------------------------------------------------------------------------------------


def _claims(*records: tuple[int, object]) -> idl.ForestTrustInformation:
    return idl.ForestTrustInformation(
        tuple(
            idl.ForestTrustRecord(0, kind, 0, data)  # type: ignore[arg-type]
            for kind, data in records
        )
    )


def _set(lsa: LsaClient, info: idl.ForestTrustInformation, *, check_only: bool = False) -> object:
    request = idl.LsarSetForestTrustInformation(lsa.policy, "partner0.test", 2, info, int(check_only))
    return lsa.done(request, idl.LsarSetForestTrustInformationResponse).collision_info


OWN = idl.ForestTrustDomainInfo(PARTNER, "partner0.test", "PARTNER0")


def test_what_a_forest_claims_is_set_and_told_w_trust_08(lsa: LsaClient) -> None:
    _create(lsa, _info(attributes=FOREST))
    claims = _claims((0, "partner0.test"), (1, "not.partner0.test"), (2, OWN))
    assert _set(lsa, claims) is None
    asked = idl.LsarQueryForestTrustInformation(lsa.policy, "partner0.test", 2)
    told = lsa.done(asked, idl.LsarQueryForestTrustInformationResponse).forest_trust_info
    assert told is not None
    shown = [(one.forest_trust_type, one.data) for one in told.entries or () if one is not None]
    assert shown == [(0, "partner0.test"), (1, "not.partner0.test"), (2, OWN)]


def test_scanned_domains_travel_as_opaque_data_to_old_clients_lsad_3_1_4_7_15(lsa: LsaClient) -> None:
    _create(lsa, _info(attributes=FOREST))
    scanned = idl.ForestTrustDomainInfo(None, "child.partner0.test", "CHILD")
    records = (
        idl.ForestTrustRecord2(0, 0, 0, "partner0.test"),
        idl.ForestTrustRecord2(0, 4, 0, scanned),
    )
    info = idl.ForestTrustInformation2(records)
    lsa.done(idl.LsarSetForestTrustInformation2(lsa.policy, "partner0.test", 4, info, 0))
    new = lsa.done(
        idl.LsarQueryForestTrustInformation2(lsa.policy, "partner0.test", 4),
        idl.LsarQueryForestTrustInformation2Response,
    ).forest_trust_info2
    assert new is not None
    assert (new.entries or ())[1].data == scanned  # type: ignore[union-attr]
    old = lsa.done(
        idl.LsarQueryForestTrustInformation(lsa.policy, "partner0.test", 2),
        idl.LsarQueryForestTrustInformationResponse,
    ).forest_trust_info
    assert old is not None
    opaque = (old.entries or ())[1]
    assert opaque is not None
    assert opaque.forest_trust_type == 3
    assert isinstance(opaque.data, idl.ForestTrustBinaryData)
    back = _claims((0, "partner0.test"), (3, opaque.data))
    assert _set(lsa, back) is None
    assert lsa.done(
        idl.LsarQueryForestTrustInformation2(lsa.policy, "partner0.test", 4),
        idl.LsarQueryForestTrustInformation2Response,
    ).forest_trust_info2


def test_collisions_are_told_and_the_records_put_out_of_use_lsad_3_1_4_7_16_1(lsa: LsaClient) -> None:
    _create(lsa, _info(attributes=FOREST))
    _create(lsa, _info(attributes=FOREST, number=1))
    own = lsa.corp.forest.dns_domain
    other = idl.ForestTrustDomainInfo(Sid.parse("S-1-5-21-71-72-74"), "x.partner0.test", "X")
    claims = _claims((0, "partner0.test"), (0, own), (0, "partner1.test"), (2, other))
    for check_only in (True, False):
        found = _set(lsa, claims, check_only=check_only)
        assert isinstance(found, idl.ForestTrustCollisionInformation)
        rows = [(one.index, one.type, one.flags, one.name) for one in found.entries or () if one is not None]
        assert rows == [(1, 1, 4, own), (2, 0, 4, "partner1.test"), (3, 0, 2, "partner1.test")]
        kept = _trust(lsa).forest
        assert kept is not None
        assert (len(kept.records) == 4) is not check_only


def test_claims_of_what_is_no_forest_are_refused(lsa: LsaClient) -> None:
    _create(lsa)
    claims = _claims((0, "partner0.test"))
    for request, status in (
        (
            idl.LsarSetForestTrustInformation(lsa.policy, "partner0.test", 2, claims, 0),
            NtStatus.STATUS_INVALID_PARAMETER,
        ),
        (
            idl.LsarQueryForestTrustInformation(lsa.policy, "partner0.test", 2),
            NtStatus.STATUS_INVALID_PARAMETER,
        ),
        (
            idl.LsarQueryForestTrustInformation(lsa.policy, "stranger.test", 2),
            NtStatus.STATUS_NO_SUCH_DOMAIN,
        ),
    ):
        assert lsa.refused(request) == status
