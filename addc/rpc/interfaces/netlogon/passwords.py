"""Passwords of computers and trusts over their secure channel: set by their holder, told to other DCs.

Spec: [MS-NRPC] 3.5.4.4.6 to 3.5.4.4.9, 3.5.4.7.6, 2.2.1.3.7, 2.2.1.3.8.
"""

from typing import Final, NamedTuple

from addc.auth.secure_channels import TRUST_TYPES, Channel, ChannelType
from addc.base.errors import DsError, NtError
from addc.base.secret import Secret
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import accounts, fsmo, managed_passwords, passwords, trust_changes, trusts
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.passwords import PreparedPassword
from addc.directory.stamp import save
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon import channel as channels
from addc.rpc.interfaces.netlogon import idl, server_names
from addc.security import schannel
from addc.security.crypto.hashes import equal
from addc.security.hash_wrapping import insecure_unwrap_hash, insecure_wrap_hash
from addc.security.krb_keys import NT_HASH_OF_EMPTY, nt_hash
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow

_BUFFER: Final = 512
_VERSION_PRESENT: Final = 0x0223_1968
_VERSION_SIZE: Final = 12


# --- setting -----------------------------------------------------------------------------------------------


class _NewPassword(NamedTuple):
    """A password out of an NL_TRUST_PASSWORD. version: TrustPasswordVersion, None where there is none."""

    password: Secret
    version: int | None


def _opened(channel: Channel, given: idl.NlTrustPassword) -> _NewPassword:
    """The password in its buffer.

    Nothing of it may have come as it is stored: who knows no key sends zeros (CVE-2020-1472).
    Raises NtError. Spec: 2.2.1.3.7, 3.4.5.2.6.
    """
    sent = given.buffer + given.length.to_bytes(4, "little")
    key = channels.buffer_key(channel)
    plain = sent if key is None else schannel.decrypted(key, sent)
    length = int.from_bytes(plain[_BUFFER:], "little")
    if length > _BUFFER or length % 2:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "a password of an impossible length")
    start = _BUFFER - length
    password = plain[start:_BUFFER]
    unlike = (sent[_BUFFER:], sent[start:_BUFFER], sent[:start] or b"\1")
    like = (plain[_BUFFER:], password, plain[:start])
    if not any(password) or (key is not None and any(a == b for a, b in zip(unlike, like, strict=True))):
        raise NtError(NtStatus.STATUS_WRONG_PASSWORD, "no password that was encrypted")
    version = None
    if channel.kind in TRUST_TYPES and start >= _VERSION_SIZE:
        number, present = plain[start - 8 : start - 4], plain[start - 4 : start]
        if int.from_bytes(present, "little") == _VERSION_PRESENT:
            version = int.from_bytes(number, "little")
    return _NewPassword(Secret(password), version)


async def server_password_set2(
    call: Call, request: idl.NetrServerPasswordSet2
) -> idl.NetrServerPasswordSet2Response:
    """NetrServerPasswordSet2: the password of the account that the channel is of, whatever name is said."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    try:
        server_names.check_nt(call, request.primary_name)
        new = _opened(channel, request.clear_new_password)
        if channel.trust is not None:
            await _set_trust_secret(call, channel, new)
        else:
            await _set_password(call, channel, new.password)
    except (NtError, DsError) as error:
        return idl.NetrServerPasswordSet2Response(returned, _status(error))
    return idl.NetrServerPasswordSet2Response(returned)


def _status(error: NtError | DsError) -> NtStatus:
    """A refusal as the status beside a return authenticator."""
    if isinstance(error, NtError):
        return NtStatus(error.status)
    denied = error.code in (Win32.ERROR_ACCESS_DENIED, Win32.ERROR_INVALID_PASSWORD)
    return NtStatus.STATUS_ACCESS_DENIED if denied else NtStatus.STATUS_WRONG_PASSWORD


def _row(ctx: ReadContext, channel: Channel) -> ObjectRow:
    account = accounts.find_by_sid(ctx, channel.sid)
    row = None if account is None else ctx.tx.get(account.dnt)
    if account is None or row is None or account.is_disabled:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the account of the channel is gone")
    return row


async def _set_password(call: Call, channel: Channel, password: Secret) -> None:
    """The keys are derived off the loop; a password that is the present one changes nothing."""

    def prepare(ctx: ReadContext) -> PreparedPassword | None:
        row = _row(ctx, channel)
        present = managed_passwords.nt_hashes(ctx, row).current
        if present is not None and equal(present, nt_hash(password)):
            return None
        return passwords.prepare_row(ctx, row, password)

    prepared = await call.directory.read("netlogon.password", SYSTEM, prepare)
    if prepared is None:
        return
    ready = prepared

    def store(ctx: WriteContext) -> None:
        draft = draft_of(ctx, _row(ctx, channel))
        passwords.store_password(ctx, draft, ready, change=True)
        save(ctx, draft)

    await call.directory.write("netlogon.password", SYSTEM, store)


async def _set_trust_secret(call: Call, channel: Channel, new: _NewPassword) -> None:
    """The secret of the partner's side: of the trusted domain object and of its account at once."""

    def store(ctx: WriteContext) -> None:
        row = None if channel.trust is None else ctx.tx.get(channel.trust)
        if row is None or not trusts.is_trust(ctx, row):
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the trust is gone")
        trust_changes.set_secrets(ctx, trusts.trust(ctx, row), incoming=new.password)

    await call.directory.write("netlogon.trust", SYSTEM, store)


async def server_password_set(
    call: Call, request: idl.NetrServerPasswordSet
) -> idl.NetrServerPasswordSetResponse:
    """NetrServerPasswordSet: by its hash alone, so that no AES keys are left; for clients of old."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    try:
        if channel.trust is not None or channel.by_kerberos:
            raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "a hash is not enough here")
        key = channels.buffer_key(channel)
        assert key is not None
        new = insecure_unwrap_hash(request.uas_new_password, key)

        def store(ctx: WriteContext) -> None:
            row = _row(ctx, channel)
            present = managed_passwords.nt_hashes(ctx, row).current
            if (present is not None and equal(present, new)) or equal(new, NT_HASH_OF_EMPTY):
                raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the present password, or none")
            draft = draft_of(ctx, row)
            passwords.store_hash(ctx, draft, new, change=True)
            save(ctx, draft)

        await call.directory.write("netlogon.password", SYSTEM, store)
    except (NtError, DsError) as error:
        return idl.NetrServerPasswordSetResponse(returned, _status(error))
    return idl.NetrServerPasswordSetResponse(returned)


# --- telling -----------------------------------------------------------------------------------------------


class _Hashes(NamedTuple):
    current: bytes
    former: bytes
    trust: trusts.Trust | None


def _hashes_of(ctx: ReadContext, name: str, kind: int) -> _Hashes:
    """The hashes of an account's or a trust's passwords; the empty one's for a former one that is not told.

    Raises NtError(STATUS_NO_TRUST_SAM_ACCOUNT). Spec: 3.5.4.7.6.
    """
    partner = channels.partner_of(ctx, name, kind)
    if not partner.hashes:
        raise NtError(NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT, "no secret")
    row = None if partner.trust is None else ctx.tx.get(partner.trust)
    if row is None:
        return _Hashes(partner.hashes[0], NT_HASH_OF_EMPTY, None)
    return _Hashes(partner.hashes[0], partner.hashes[-1], trusts.trust(ctx, row))


def _may_ask(call: Call, channel: Channel, name: str) -> bool:
    """Whether a channel may be told of an account: its own, or of any where a DC asks the PDC.

    RODCs hold what they were given, and are given it by replication. Spec: 3.5.4.4.9.
    """
    if name.rstrip(".").lower() in _own_names(call, channel):
        return True
    is_pdc = call.directory.read_now("netlogon.pdc", SYSTEM, lambda ctx: fsmo.is_ours(ctx, fsmo.PDC))
    return channel.kind is ChannelType.SERVER and is_pdc


def _own_names(call: Call, channel: Channel) -> tuple[str, ...]:
    own = channel.account_name.lower()
    if channel.trust is None:
        return (own,)
    dnt = channel.trust

    def names(ctx: ReadContext) -> tuple[str, ...]:
        row = ctx.tx.get(dnt)
        return (own,) if row is None else (own, trusts.trust(ctx, row).partner.lower())

    return call.directory.read_now("netlogon.trust", SYSTEM, names)


def _wrapped(channel: Channel, value: bytes) -> bytes:
    key = channels.buffer_key(channel)
    return value if key is None else insecure_wrap_hash(value, key)


async def server_get_trust_info(
    call: Call, request: idl.NetrServerGetTrustInfo
) -> idl.NetrServerGetTrustInfoResponse:
    """NetrServerGetTrustInfo: hashes, and the attributes of a trust."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    try:
        found = _told(call, channel, request)
    except NtError as error:
        return idl.NetrServerGetTrustInfoResponse(returned, status=NtStatus(error.status))
    attributes = 0 if found.trust is None else int(found.trust.attributes)
    return idl.NetrServerGetTrustInfoResponse(
        returned,
        _wrapped(channel, found.current),
        _wrapped(channel, found.former),
        idl.NlGenericRpcData((attributes,), None),
    )


async def server_trust_passwords_get(
    call: Call, request: idl.NetrServerTrustPasswordsGet
) -> idl.NetrServerTrustPasswordsGetResponse:
    """NetrServerTrustPasswordsGet: the hashes alone."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    try:
        found = _told(call, channel, request)
    except NtError as error:
        return idl.NetrServerTrustPasswordsGetResponse(returned, status=NtStatus(error.status))
    return idl.NetrServerTrustPasswordsGetResponse(
        returned, _wrapped(channel, found.current), _wrapped(channel, found.former)
    )


def _told(
    call: Call,
    channel: Channel,
    request: idl.NetrServerGetTrustInfo | idl.NetrServerTrustPasswordsGet,
) -> _Hashes:
    if request.trusted_dc_name is None:
        raise NtError(NtStatus.STATUS_INVALID_COMPUTER_NAME, "no server's name")
    server_names.check_nt(call, request.trusted_dc_name)
    name, kind = request.account_name, request.secure_channel_type
    if not _may_ask(call, channel, name):
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "another's secret")
    return call.directory.read_now("netlogon.secret", SYSTEM, lambda ctx: _hashes_of(ctx, name, kind))


async def server_password_get(
    call: Call, request: idl.NetrServerPasswordGet
) -> idl.NetrServerPasswordGetResponse:
    """NetrServerPasswordGet: for DCs with passwords of their own, of the PDC. Spec: 3.5.4.4.8."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    try:
        server_names.check_nt(call, request.primary_name)
        if channel.kind is not ChannelType.SERVER:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "for DCs alone")
        found = call.directory.read_now(
            "netlogon.secret",
            SYSTEM,
            lambda ctx: _hashes_of(ctx, request.account_name, request.account_type),
        )
    except NtError as error:
        return idl.NetrServerPasswordGetResponse(returned, status=NtStatus(error.status))
    return idl.NetrServerPasswordGetResponse(returned, _wrapped(channel, found.current))
