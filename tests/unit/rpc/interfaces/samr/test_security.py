"""SAM: descriptors as shown, and the one right that can be set. [MS-SAMR] 3.1.5.12."""

import pytest

from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.directory import passwords
from addc.rpc.interfaces.samr import idl, rights
from addc.security import wellknown
from addc.security.descriptor import SecurityDescriptor, acl_of
from tests.kit.sam_desk import SamClient, SamDesk, change_descriptor

DENIED = NtStatus.STATUS_ACCESS_DENIED
OK = NtStatus.STATUS_SUCCESS
CHANGE = int(rights.User.CHANGE_PASSWORD)


def _shown(client: SamClient, handle: ContextHandle, parts: int = 7) -> SecurityDescriptor:
    found = client.ask(idl.SamrQuerySecurityObject(handle, parts), idl.SamrQuerySecurityObjectResponse)
    assert found.security_descriptor is not None
    return SecurityDescriptor.unpack(found.security_descriptor.security_descriptor or b"")


def _grants(sd: SecurityDescriptor) -> dict[Sid, int]:
    assert sd.dacl is not None
    return {ace.sid: ace.mask for ace in sd.dacl.aces}


@pytest.fixture
def anna(sam: SamDesk) -> SamDesk:
    sam.corp.user("anna", "Secr3t.Word")
    return sam


def _may_change(sam: SamDesk) -> bool:
    row = sam.corp.row("CN=anna,CN=Users")
    return sam.corp.read(lambda ctx: passwords.may_set(ctx, row, change=True), sam.corp.token("anna"))


def test_each_kind_of_object_shows_its_own(anna: SamDesk) -> None:
    """3.1.5.12.2.1."""
    client = anna.client()
    world, admins = wellknown.EVERYONE, wellknown.BUILTIN_ADMINISTRATORS
    server = _shown(client, client.connect())
    assert (server.owner, server.group) == (admins, admins)
    assert _grants(server) == {world: 0x2_0031, admins: 0xF_003F}
    domain = _grants(_shown(client, client.domain()))
    assert domain == {world: 0x2_0385, admins: 0xF_07FF, wellknown.ACCOUNT_OPERATORS: 0x2_03F5}
    group = _grants(_shown(client, client.group("Domain Users")))
    assert group == {world: 0x2_0011, admins: 0xF_001F, wellknown.ACCOUNT_OPERATORS: 0xF_001F}
    assert wellknown.ACCOUNT_OPERATORS not in _grants(_shown(client, client.group("Domain Admins")))
    user = _grants(_shown(client, client.user("anna")))
    assert user[anna.corp.token("anna").user] == rights.USER_WRITE
    assert wellknown.ACCOUNT_OPERATORS not in _grants(_shown(client, client.user("Administrator")))


def test_parts_are_shown_as_asked_for(anna: SamDesk) -> None:
    client = anna.client()
    sd = _shown(client, client.user("anna"), 1)
    assert (sd.owner, sd.group, sd.dacl) == (wellknown.BUILTIN_ADMINISTRATORS, None, None)


def test_reading_needs_read_control(anna: SamDesk) -> None:
    client = anna.client()
    assert client.status(idl.SamrQuerySecurityObject(client.user("anna", 0x1), 4)) == DENIED
    assert client.status(idl.SamrQuerySecurityObject(client.user("anna"), 8)) == DENIED


def test_the_right_to_change_a_password_goes_and_comes(anna: SamDesk) -> None:
    """3.1.5.12.1.1."""
    client = anna.client()
    user, sid = client.user("anna"), anna.corp.token("anna").user
    assert _may_change(anna)
    request = idl.SamrSetSecurityObject(user, 4, change_descriptor(sid, may_change=False))
    assert client.status(request) == OK
    assert not _may_change(anna)
    shown = _grants(_shown(client, user))
    assert not shown[wellknown.EVERYONE] & CHANGE and not shown[sid] & CHANGE
    request = idl.SamrSetSecurityObject(user, 4, change_descriptor(sid, may_change=True))
    assert client.status(request) == OK
    assert _may_change(anna)


def test_setting_needs_write_dac(anna: SamDesk) -> None:
    client = anna.client()
    sd = change_descriptor(anna.corp.token("anna").user, may_change=False)
    assert client.status(idl.SamrSetSecurityObject(client.user("anna", 0x2_0001), 4, sd)) == DENIED
    assert _may_change(anna)


def test_other_descriptors_are_ignored(anna: SamDesk) -> None:
    client = anna.client()
    sd = idl.SrSecurityDescriptor(SecurityDescriptor(dacl=acl_of(())).pack())
    assert client.status(idl.SamrSetSecurityObject(client.user("anna"), 4, sd)) == OK
    assert _may_change(anna)


def test_what_is_no_descriptor_is_refused(anna: SamDesk) -> None:
    client = anna.client()
    request = idl.SamrSetSecurityObject(client.user("anna"), 4, idl.SrSecurityDescriptor(b"no"))
    assert client.status(request) == NtStatus.STATUS_INVALID_SECURITY_DESCR
    nothing = idl.SamrSetSecurityObject(client.user("anna"), 0, idl.SrSecurityDescriptor(b"no"))
    assert client.status(nothing) == NtStatus.STATUS_INVALID_PARAMETER
