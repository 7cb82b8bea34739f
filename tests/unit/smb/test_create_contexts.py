"""The contexts of CREATE ([MS-SMB2] 2.2.13.2): what is sent is read, anything else is refused."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.smb import create_contexts as cc
from addc.smb.create_contexts import LeaseV1, LeaseV2, read_contexts, write_contexts


def test_every_context_that_windows_sends_is_read() -> None:
    data = write_contexts(
        [
            (cc.DURABLE_REQUEST_V2, cc.DurableRequestV2(5, 0, UUID(int=1)).pack()),
            (cc.MAXIMAL_ACCESS, b""),
            (cc.ON_DISK_ID, b""),
            (cc.ALLOCATION_SIZE, cc.Quad(4096).pack()),
            (cc.LEASE, LeaseV2(b"k" * 16, 7, 4, b"p" * 16, 3).pack()),
            (cc.APP_INSTANCE_ID, cc.AppInstanceId(UUID(int=2)).pack()),
            (cc.APP_INSTANCE_VERSION, cc.AppInstanceVersion(1, 2).pack()),
            (b"AAPL", b"whatever"),
        ]
    )
    found = read_contexts(data)
    assert found.durable_v2 == cc.DurableRequestV2(5, 0, UUID(int=1))
    assert found.maximal_access == 0
    assert found.on_disk_id
    assert found.allocation_size == 4096
    assert found.lease == LeaseV2(b"k" * 16, 7, 4, b"p" * 16, 3)
    assert found.app_instance_id == UUID(int=2)
    assert found.app_instance_version == (1, 2)
    assert not found.durable


def test_both_forms_of_a_lease_have_their_size() -> None:
    """[MS-SMB2] 2.2.13.2.8, 2.2.13.2.10."""
    assert LeaseV1.fixed_size() == 32
    assert LeaseV2.fixed_size() == 52


@pytest.mark.parametrize(
    ("name", "data"),
    [(b"abc", b""), (cc.LEASE, bytes(31)), (cc.DURABLE_REQUEST, bytes(15)), (cc.MAXIMAL_ACCESS, bytes(4))],
)
def test_wrong_names_and_sizes_are_refused(name: bytes, data: bytes) -> None:
    with pytest.raises(DecodeError):
        read_contexts(write_contexts([(name, data)]))


@given(st.binary(max_size=256))
def test_any_octets_give_contexts_or_a_decode_error(data: bytes) -> None:
    try:
        read_contexts(data)
    except DecodeError:
        return


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=20), st.binary(max_size=60)), max_size=5))
def test_any_chain_is_read_or_refused(chain: list[tuple[bytes, bytes]]) -> None:
    try:
        read_contexts(write_contexts(chain))
    except DecodeError:
        return
