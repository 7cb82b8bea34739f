"""Compound identity: the device in the ticket of its user. [MS-KILE] 3.3.5.7.4, [MS-PAC] 2.12, 2.13."""

from dataclasses import replace
from typing import Any

import pytest

from addc.codec.ids import Sid
from addc.codec.pac import (
    SE_GROUP_DEFAULT,
    SE_GROUP_RESOURCE_DEFAULT,
    Pac,
    PacDeviceInfo,
    PacType,
    pack_ndr_buffer,
    unpack_device_info,
    unpack_logon_info,
)
from addc.kdc.facts import Membership, OpenedTgs, Principal
from addc.kdc.tgs_exchange import answer_tgs_req, open_tgs_req
from addc.kdc.ticket_pac import find_pac
from addc.security import wellknown
from addc.security.pac_identity import claims_buffer, identity_of
from addc.security.token import LOGON_SIDS, NO_CLAIMS, Claim
from tests.kit.fast_client import WS1, Armor, ArmoredTicket
from tests.kit.kdc_realm import DOMAIN, FACTS, FILES, KRBTGT, TGS_NAME, Client, SeededRng

COMPOUND = replace(FILES, supported_enctypes=0x18 | 0x2_0000)
OTHER = Sid.parse("S-1-5-21-9-9-9-1000")
LOCAL = frozenset((DOMAIN.child(1300), Sid.parse("S-1-5-32-545")))
MEMBER = Membership((515, 1250), (OTHER,), claims=claims_buffer((Claim("zone", ("red",)),)))
USER_CLAIMS = claims_buffer((Claim("team", ("ops",)),))


def pac_of(server: Principal, *, explicit: bool = True, device: Membership = MEMBER, **body: Any) -> Pac:
    """The PAC that a service gets of a user at a device."""
    tgt = Client(membership=Membership((513,), claims=USER_CLAIMS)).log_on()
    ticket = ArmoredTicket(tgt, Armor(Client(WS1, device).log_on()) if explicit else None)
    client = tgt.client
    opened = open_tgs_req(
        ticket.tgs_req(**body),
        FACTS,
        client.policy,
        client.now,
        SeededRng("open"),
    )
    assert isinstance(opened, OpenedTgs)
    facts = tgt.facts(server, resource_rids=(), armor=WS1 if explicit else None, armor_sids=LOCAL)
    outcome = answer_tgs_req(opened, facts, client.policy, client.now, SeededRng("tgs"))
    inside = ticket.received(outcome).ticketed.opened(server.keys.current[18])
    return Pac.unpack(find_pac(inside.authorization_data) or b"")


def info_in(pac: Pac) -> PacDeviceInfo:
    return unpack_device_info(pac.get(PacType.DEVICE_INFO) or b"")


def says_compounded(pac: Pac) -> bool:
    info = unpack_logon_info(pac.get(PacType.LOGON_INFO) or b"")
    return wellknown.COMPOUNDED_AUTHENTICATION in {one.sid for one in info.extra_sids or ()}


@pytest.fixture(scope="module")
def compound() -> Pac:
    return pac_of(COMPOUND)


def test_a_service_that_knows_compound_identity_is_told_the_device(compound: Pac) -> None:
    assert [kind for kind, _ in compound.buffers] == [1, 10, 12, 13, 14, 15, 6, 7, 16, 19]
    assert says_compounded(compound)


def test_the_devices_groups_are_sorted_by_domain(compound: Pac) -> None:
    info = info_in(compound)
    assert (info.user_id, info.primary_group_id, info.account_domain_id) == (1106, 513, DOMAIN)
    assert [(one.relative_id, one.attributes) for one in info.account_group_ids or ()] == [
        (515, SE_GROUP_DEFAULT),
        (1250, SE_GROUP_DEFAULT),
    ]
    assert [one.sid for one in info.extra_sids or ()] == [
        wellknown.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY
    ]
    domains = {
        group.domain_id: [(one.relative_id, one.attributes) for one in group.group_ids or ()]
        for group in info.domain_group or ()
    }
    assert domains == {
        DOMAIN: [(1300, SE_GROUP_RESOURCE_DEFAULT)],
        OTHER.domain(): [(1000, SE_GROUP_DEFAULT)],
        Sid.parse("S-1-5-21-0-0-0"): [(497, SE_GROUP_DEFAULT)],
    }


def test_the_claims_of_the_devices_ticket_are_the_devices_claims(compound: Pac) -> None:
    assert compound.get(PacType.DEVICE_CLAIMS_INFO) == MEMBER.claims
    assert compound.get(PacType.CLIENT_CLAIMS_INFO) == USER_CLAIMS


def test_a_device_without_claims_has_an_empty_buffer() -> None:
    assert pac_of(COMPOUND, device=Membership((515,))).get(PacType.DEVICE_CLAIMS_INFO) == b""


def test_a_token_of_it_has_user_and_device(compound: Pac) -> None:
    found = identity_of(compound)
    assert found.claims.user == (Claim("team", ("ops",)),)
    assert found.claims.device == (Claim("zone", ("red",)),)
    wanted = {WS1.sid, DOMAIN.child(1250), DOMAIN.child(1300), OTHER, wellknown.CLAIMS_VALID}
    assert wanted <= found.claims.device_sids and LOGON_SIDS <= found.claims.device_sids
    assert WS1.sid not in found.sids


@pytest.mark.parametrize(
    ("server", "explicit"),
    [(FILES, True), (replace(FILES, supported_enctypes=None), True), (COMPOUND, False)],
)
def test_nobody_else_is_told(server: Principal, explicit: bool) -> None:
    """Neither a service that does not ask, nor of a request armored by its own ticket alone."""
    pac = pac_of(server, explicit=explicit)
    assert pac.get(PacType.DEVICE_INFO) is None and pac.get(PacType.DEVICE_CLAIMS_INFO) is None
    assert not says_compounded(pac)


def test_a_tgt_says_nothing_of_a_device() -> None:
    krbtgt = replace(KRBTGT, supported_enctypes=0x18 | 0x2_0000)
    pac = pac_of(krbtgt, sname=TGS_NAME)
    assert pac.get(PacType.DEVICE_INFO) is None and not says_compounded(pac)


def test_a_device_that_the_logon_does_not_admit_does_not_count(compound: Pac) -> None:
    """A DEVICE_INFO buffer without the SID of compounded authentication is no device's."""
    plain = pac_of(FILES)
    forged = Pac((*plain.buffers, (14, compound.get(14) or b""), (15, compound.get(15) or b"")))
    assert identity_of(forged).claims.device_sids == frozenset()
    assert identity_of(forged).claims.device == ()


def test_claims_count_where_they_are_said_to_be_valid(compound: Pac) -> None:
    info = unpack_logon_info(compound.get(1) or b"")
    kept = tuple(one for one in info.extra_sids or () if one.sid == OTHER) or None
    bare = Pac(((1, pack_ndr_buffer(replace(info, extra_sids=kept))), *compound.buffers[1:]))
    assert identity_of(bare).claims == NO_CLAIMS
