"""Passwords over a secure channel: set by their holder alone, and told to nobody else."""

from dataclasses import replace
from typing import Final

import pytest

from addc.auth.secure_channels import ChannelType
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, passwords, trust_changes, trusts
from addc.directory.context import ReadContext
from addc.directory.trust_changes import NewTrust
from addc.rpc.call import AuthLevel
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.operations import SERVER
from addc.security import schannel
from addc.security.hash_wrapping import insecure_unwrap_hash, insecure_wrap_hash
from addc.security.krb_keys import NT_HASH_OF_EMPTY
from addc.security.trusts import TrustDirection
from tests.kit.netlogon_member import HOST, MEMBER, MEMBER_PASSWORD, Member, add_member, hash_of
from tests.kit.rpc_desk import RpcDesk

NEW: Final = "the n3w password of ws1"
TRUST: Final = "the s3cret of the trust"


@pytest.fixture
def member(rpc_desk: RpcDesk) -> Member:
    add_member(rpc_desk)
    return Member(rpc_desk).open()


def _packed(password: str, *, length: int | None = None, version: int | None = None) -> bytes:
    data = password.encode("utf-16-le")
    tail = data if version is None else bytes(4) + version.to_bytes(4, "little") + b"\x68\x19\x23\x02" + data
    size = len(data) if length is None else length
    return b"\x5a" * (512 - len(tail)) + tail + size.to_bytes(4, "little")


def _set(
    member: Member, plain: bytes, *, clear: bool = False, account: str = ""
) -> idl.NetrServerPasswordSet2Response:
    sent = plain if clear else schannel.encrypted(member.key, plain)
    password = idl.NlTrustPassword(sent[:512], int.from_bytes(sent[512:], "little"))
    request = idl.NetrServerPasswordSet2(
        HOST, account or member.account, member.kind, member.name, member.authenticator(), password
    )
    return member.client.call(SERVER, request, idl.NetrServerPasswordSet2Response)


def _hash(desk: RpcDesk, name: str = "WS1$") -> bytes | None:
    def read(ctx: ReadContext) -> bytes | None:
        row = accounts.row_by_sam(ctx, name)
        assert row is not None
        return passwords.keys_of(ctx, row).nt_hash()

    return desk.corp.read(read)


def test_a_member_changes_its_password(member: Member) -> None:
    """[MS-NRPC] 3.5.4.4.6: and opens its next channel with the new one."""
    done = _set(member, _packed(NEW))
    assert done.status is NtStatus.STATUS_SUCCESS
    assert member.took(done.return_authenticator)
    assert _hash(member.desk) == hash_of(NEW)
    assert Member(member.desk, password=NEW).authenticate().status is NtStatus.STATUS_SUCCESS
    assert Member(member.desk).authenticate().status is NtStatus.STATUS_ACCESS_DENIED


def test_aes_keys_are_made_of_it(member: Member) -> None:
    """[MS-KILE] 3.1.1.2."""
    _set(member, _packed(NEW))

    def etypes(ctx: ReadContext) -> list[int]:
        row = accounts.row_by_sam(ctx, "WS1$")
        assert row is not None
        return [int(key.etype) for key in passwords.keys_of(ctx, row).keys]

    assert member.desk.corp.read(etypes) == [18, 17, 23]


def test_the_present_password_changes_nothing(member: Member) -> None:
    """[MS-NRPC] 3.5.4.4.6."""
    row = accounts.row_by_sam
    before = member.desk.corp.read(lambda ctx: row(ctx, "WS1$"))
    assert _set(member, _packed(MEMBER_PASSWORD)).status is NtStatus.STATUS_SUCCESS
    after = member.desk.corp.read(lambda ctx: row(ctx, "WS1$"))
    assert before is not None and after is not None
    assert before.meta == after.meta


@pytest.mark.parametrize(
    ("plain", "clear", "status"),
    [
        (bytes(516), False, NtStatus.STATUS_WRONG_PASSWORD),
        (bytes(516), True, NtStatus.STATUS_ACCESS_DENIED),
        (_packed("\0" * 10), False, NtStatus.STATUS_WRONG_PASSWORD),
        (_packed("", length=0), False, NtStatus.STATUS_WRONG_PASSWORD),
        (_packed(NEW, length=513), False, NtStatus.STATUS_ACCESS_DENIED),
        (_packed(NEW, length=7), False, NtStatus.STATUS_ACCESS_DENIED),
    ],
    ids=["zeros", "zeros-in-clear", "nul-password", "empty", "too-long", "odd"],
)
def test_what_is_no_password(member: Member, plain: bytes, clear: bool, status: NtStatus) -> None:
    """W-NRPC-05: zeros and buffers of impossible lengths (CVE-2020-1472); nothing is stored."""
    done = _set(member, plain, clear=clear)
    assert done.status in (status, NtStatus.STATUS_WRONG_PASSWORD, NtStatus.STATUS_ACCESS_DENIED)
    assert _hash(member.desk) == hash_of(MEMBER_PASSWORD)
    assert member.took(done.return_authenticator)


def test_another_accounts_name_changes_ones_own(member: Member) -> None:
    """The channel says whose password it is, not the call."""
    before = _hash(member.desk, "DC1$")
    _set(member, _packed(NEW), account="DC1$")
    assert _hash(member.desk, "DC1$") == before
    assert _hash(member.desk) == hash_of(NEW)


def test_passwords_come_sealed(member: Member) -> None:
    """[MS-NRPC] 3.1.4.6."""
    security = replace(member.client.security, level=AuthLevel.INTEGRITY)
    member.client = replace(member.client, security=security)
    assert _set(member, _packed(NEW)).status is NtStatus.STATUS_ACCESS_DENIED
    assert _hash(member.desk) == hash_of(MEMBER_PASSWORD)


@pytest.mark.parametrize(
    ("password", "status"),
    [
        (NEW, NtStatus.STATUS_SUCCESS),
        (MEMBER_PASSWORD, NtStatus.STATUS_ACCESS_DENIED),
        ("", NtStatus.STATUS_ACCESS_DENIED),
    ],
)
def test_a_hash_alone(member: Member, password: str, status: NtStatus) -> None:
    """[MS-NRPC] 3.5.4.4.7: another than the present one, and not the empty one's."""
    wrapped = insecure_wrap_hash(hash_of(password), member.key)
    request = idl.NetrServerPasswordSet(HOST, "WS1$", 2, MEMBER, member.authenticator(), wrapped)
    done = member.client.call(SERVER, request, idl.NetrServerPasswordSetResponse)
    assert done.status is status
    assert member.took(done.return_authenticator)
    wanted = NEW if status is NtStatus.STATUS_SUCCESS else MEMBER_PASSWORD
    assert _hash(member.desk) == hash_of(wanted)


# --- telling -----------------------------------------------------------------------------------------------


def _ask(member: Member, account: str, kind: int = 2) -> idl.NetrServerGetTrustInfoResponse:
    request = idl.NetrServerGetTrustInfo(HOST, account, kind, member.name, member.authenticator())
    return member.client.call(SERVER, request, idl.NetrServerGetTrustInfoResponse)


def test_a_member_is_told_its_own(member: Member) -> None:
    """[MS-NRPC] 3.5.4.7.6."""
    done = _ask(member, "WS1$")
    assert done.status is NtStatus.STATUS_SUCCESS
    assert insecure_unwrap_hash(done.encrypted_new_owf_password, member.key) == hash_of(MEMBER_PASSWORD)
    assert insecure_unwrap_hash(done.encrypted_old_owf_password, member.key) == NT_HASH_OF_EMPTY
    assert member.took(done.return_authenticator)


def test_a_member_is_told_nobody_elses(member: Member) -> None:
    """[MS-NRPC] 3.5.4.7.6, 3.5.4.4.8: not a DC's, not another member's, not by the other calls either."""
    add_member(member.desk, "WS2", "p4ssword of ws2")
    for account, kind in (("WS2$", 2), ("DC1$", 6), ("krbtgt", 2), ("Administrator", 2)):
        done = _ask(member, account, kind)
        assert done.status is NtStatus.STATUS_ACCESS_DENIED
        assert done.encrypted_new_owf_password == bytes(16)
        member.took(done.return_authenticator)
    get = idl.NetrServerPasswordGet(HOST, "WS1$", 2, MEMBER, member.authenticator())
    done_get = member.client.call(SERVER, get, idl.NetrServerPasswordGetResponse)
    assert done_get.status is NtStatus.STATUS_ACCESS_DENIED
    member.took(done_get.return_authenticator)
    pair = idl.NetrServerTrustPasswordsGet(HOST, "WS2$", 2, MEMBER, member.authenticator())
    done_pair = member.client.call(SERVER, pair, idl.NetrServerTrustPasswordsGetResponse)
    assert done_pair.status is NtStatus.STATUS_ACCESS_DENIED


def test_a_dc_asks_the_pdc_for_a_computers(rpc_desk: RpcDesk) -> None:
    """[MS-NRPC] 3.5.4.4.8; people's are not told."""
    add_member(rpc_desk)
    add_member(rpc_desk, "DC9", "p4ssword of dc9", uac=0x2000)
    dc = Member(rpc_desk, "DC9", "p4ssword of dc9", int(ChannelType.SERVER)).open()
    request = idl.NetrServerPasswordGet(HOST, "WS1$", 2, "DC9", dc.authenticator())
    done = dc.client.call(SERVER, request, idl.NetrServerPasswordGetResponse)
    assert insecure_unwrap_hash(done.encrypted_nt_owf_password, dc.key) == hash_of(MEMBER_PASSWORD)
    dc.took(done.return_authenticator)
    assert _ask(dc, "Administrator").status is NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT


# --- trusts ------------------------------------------------------------------------------------------------


@pytest.fixture
def partner(rpc_desk: RpcDesk) -> Member:
    """The DC of a domain that trusts this one."""
    secret = Secret(TRUST.encode("utf-16-le"))
    new = NewTrust(
        "other.test", "OTHER", Sid.parse("S-1-5-21-7-8-9"), TrustDirection.INBOUND, incoming=secret
    )
    rpc_desk.corp.write(lambda ctx: trust_changes.create(ctx, new))
    return Member(rpc_desk, "ODC1", TRUST, int(ChannelType.TRUSTED_DNS_DOMAIN), account="other.test.")


def test_a_trusting_domain_opens_a_channel(partner: Member) -> None:
    """[MS-NRPC] 3.5.4.4.2: by its DNS name with or without the period, or by its account."""
    assert partner.authenticate().status is NtStatus.STATUS_SUCCESS
    partner.account = "other.test"
    assert partner.authenticate().status is NtStatus.STATUS_SUCCESS
    partner.account, partner.kind = "OTHER$", int(ChannelType.TRUSTED_DOMAIN)
    assert partner.authenticate().status is NtStatus.STATUS_SUCCESS
    partner.kind = int(ChannelType.WORKSTATION)
    assert partner.authenticate().status is NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT


def test_a_trusts_secret_is_changed_on_both_its_objects(partner: Member) -> None:
    """[MS-NRPC] 3.5.4.4.6, [MS-ADTS] 6.1.6.9.1: the former one stays good."""
    desk = partner.desk
    assert partner.authenticate().status is NtStatus.STATUS_SUCCESS
    partner.account = "OTHER$"
    partner.protect(AuthLevel.PRIVACY)
    done = _set(partner, _packed(NEW, version=2))
    assert done.status is NtStatus.STATUS_SUCCESS

    def clear(ctx: ReadContext) -> bytes:
        found = trusts.find(ctx, "OTHER")
        assert found is not None and found.incoming is not None and found.incoming.current.clear is not None
        return found.incoming.current.clear.reveal()

    assert desk.corp.read(clear) == NEW.encode("utf-16-le")
    assert _hash(desk, "OTHER$") == hash_of(NEW)
    for password in (NEW, TRUST):
        again = Member(desk, "ODC1", password, int(ChannelType.TRUSTED_DOMAIN), account="OTHER$")
        assert again.authenticate().status is NtStatus.STATUS_SUCCESS
