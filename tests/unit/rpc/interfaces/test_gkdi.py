"""GetKey. Spec: [MS-GKDI] 3.1.4.1."""

from uuid import UUID

import pytest

from addc.codec.gkdi_blobs import GroupKeyEnvelope
from addc.codes.hresult import HResult
from addc.codes.nca import NcaStatus
from addc.directory import kds_root_keys
from addc.rpc.call import AuthLevel, RpcFault
from addc.rpc.interfaces.gkdi.idl import GetKey, GetKeyResponse
from addc.rpc.interfaces.gkdi.operations import SERVER
from addc.security import gkdi, sddl
from addc.security.gkdi import GroupKeyId
from addc.security.token import ANONYMOUS, Token
from tests.kit.rpc_desk import SEALED, RpcDesk

_LATEST = (-1, -1, -1)


def _ask(
    desk: RpcDesk,
    token: Token,
    descriptor: bytes,
    key_id: tuple[int, int, int] = _LATEST,
    root: UUID | None = None,
) -> GetKeyResponse:
    request = GetKey(descriptor, root, *key_id)
    return desk.call(SERVER, request, GetKeyResponse, token=token, security=SEALED)


def _envelope(reply: GetKeyResponse) -> GroupKeyEnvelope:
    assert reply.status == HResult.S_OK and reply.ppb_out is not None
    return GroupKeyEnvelope.unpack(reply.ppb_out)


def _for(desk: RpcDesk, name: str, mask: int) -> bytes:
    sid = desk.corp.sid(f"CN={name},CN=Users")
    return sddl.parse(f"O:SYG:SYD:(A;;{mask:#x};;;{sid})").pack()


@pytest.fixture
def jane(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user("jane")
    return rpc_desk.corp.token("jane")


def test_who_may_have_seed_keys_gets_the_newest(rpc_desk: RpcDesk, jane: Token) -> None:
    """The key inside is the one that the root key gives for that descriptor."""
    descriptor = _for(rpc_desk, "jane", 0x3)
    envelope = _envelope(_ask(rpc_desk, jane, descriptor))
    now = GroupKeyId.at(rpc_desk.corp.now)
    assert (envelope.l0, envelope.l1, envelope.l2) == now and not envelope.is_public
    assert envelope.domain_name == rpc_desk.directory.forest.dns_domain
    again = _envelope(_ask(rpc_desk, jane, descriptor, now))
    (root,) = rpc_desk.corp.read(kds_root_keys.all_keys).values()
    wanted = gkdi.seed_key(root, descriptor, now).reveal()
    assert gkdi.key_from_envelope(envelope, now).reveal() == wanted
    assert gkdi.key_from_envelope(again, now).reveal() == wanted


def test_a_key_from_before_the_first_root_key_cannot_be_made(rpc_desk: RpcDesk, jane: Token) -> None:
    now = GroupKeyId.at(rpc_desk.corp.now)
    reply = _ask(rpc_desk, jane, _for(rpc_desk, "jane", 0x3), (now.l0 - 1, 0, 0))
    assert reply.status == HResult.NTE_NO_KEY


def test_who_may_encrypt_gets_the_public_key(rpc_desk: RpcDesk, jane: Token) -> None:
    descriptor = _for(rpc_desk, "jane", 0x2)
    assert _envelope(_ask(rpc_desk, jane, descriptor)).is_public
    past = (1, 2, 3)
    assert _ask(rpc_desk, jane, descriptor, past).status == HResult.E_ACCESSDENIED


def test_who_is_not_named_gets_nothing(rpc_desk: RpcDesk, jane: Token) -> None:
    rpc_desk.corp.user("bob")
    descriptor = _for(rpc_desk, "bob", 0x3)
    assert _ask(rpc_desk, jane, descriptor) == GetKeyResponse(status=HResult.E_ACCESSDENIED)
    assert _ask(rpc_desk, ANONYMOUS, descriptor).status == HResult.E_ACCESSDENIED


def test_managed_accounts_keys_are_for_dcs_alone(rpc_desk: RpcDesk, jane: Token) -> None:
    reply = _ask(rpc_desk, jane, gkdi.GMSA_DESCRIPTOR)
    assert reply.status == HResult.E_ACCESSDENIED


@pytest.mark.parametrize(
    "key_id", [(-1, 0, 0), (0, -1, 0), (0, 32, 0), (0, 0, 32), (2**31 - 1, 0, 0), (-2, 0, 0)]
)
def test_no_such_key(rpc_desk: RpcDesk, jane: Token, key_id: tuple[int, int, int]) -> None:
    reply = _ask(rpc_desk, jane, _for(rpc_desk, "jane", 0x3), key_id)
    assert reply.status == HResult.E_INVALIDARG


def test_no_descriptor_and_no_root_key(rpc_desk: RpcDesk, jane: Token) -> None:
    assert _ask(rpc_desk, jane, b"nonsense").status == HResult.E_INVALIDARG
    unknown = _ask(rpc_desk, jane, _for(rpc_desk, "jane", 0x3), root=UUID(int=7))
    assert unknown.status == HResult.NTE_NO_KEY


def test_an_old_span_of_a_root_key_is_answered_with_its_newest_key(rpc_desk: RpcDesk, jane: Token) -> None:
    descriptor = _for(rpc_desk, "jane", 0x3)
    root = _envelope(_ask(rpc_desk, jane, descriptor)).root_key_id
    now = GroupKeyId.at(rpc_desk.corp.now)
    envelope = _envelope(_ask(rpc_desk, jane, descriptor, (now.l0 - 1, 3, 4), root))
    assert (envelope.l0, envelope.l1, envelope.l2) == (now.l0 - 1, 31, 31)
    assert envelope.l1_key and not envelope.l2_key


def test_keys_travel_sealed_only(rpc_desk: RpcDesk, jane: Token) -> None:
    signed = rpc_desk.connect(jane, SEALED).secured(AuthLevel.INTEGRITY)
    with pytest.raises(RpcFault) as refused:
        signed.call(SERVER, GetKey(b"", None, *_LATEST))
    assert refused.value.status == NcaStatus.NCA_S_FAULT_ACCESS_DENIED
