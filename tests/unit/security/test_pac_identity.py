"""PAC to token and back. [MS-KILE] 3.4.5.3, [MS-PAC] 2.5, 2.11."""

from dataclasses import replace

import pytest

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.pac import Pac, PacType, pack_ndr_buffer, unpack_logon_info
from addc.security import wellknown
from addc.security.pac_identity import claims_buffer, claims_in, identity_of, info_of_token
from addc.security.token import Claim, build_token
from tests.unit.auth.test_token_build import logon_info

DOMAIN = Sid.parse("S-1-5-21-1-2-3")
OTHER = Sid.parse("S-1-5-21-9-9-9-1000")
CLAIMS = (
    Claim("text", ("a", "b")),
    Claim("number", (-5, 7)),
    Claim("large", ((1 << 63) + 1,)),
    Claim("truth", (True,)),
)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_claims_of_each_type_come_back(claim: Claim) -> None:
    assert claims_in(claims_buffer((claim,))) == (claim,)


def test_values_that_no_claim_has_are_left_out() -> None:
    assert claims_buffer((Claim("sid", (DOMAIN,)), Claim("none", ()), Claim("mixed", (1, "x")))) == b""
    assert claims_in(b"") == claims_in(None) == ()


def test_a_token_becomes_what_other_machines_are_told() -> None:
    user = DOMAIN.child(1104)
    groups = (DOMAIN.child(513), DOMAIN.child(1200), OTHER, wellknown.BUILTIN_ADMINISTRATORS)
    token = build_token(user, groups, primary_group=DOMAIN.child(513))
    info = info_of_token(token, logon_info(None, 0), DOMAIN)
    assert (info.user_id, info.primary_group_id, info.logon_domain_id) == (1104, 513, DOMAIN)
    assert {one.relative_id for one in info.group_ids or ()} == {513, 1200}
    assert [one.sid for one in info.extra_sids or ()] == [OTHER]
    assert info.user_flags & 0x20


def test_there_and_back_is_the_same_identity() -> None:
    sids = (DOMAIN.child(513), DOMAIN.child(1200), OTHER, wellknown.CLAIMS_VALID)
    token = build_token(DOMAIN.child(1104), sids, primary_group=DOMAIN.child(513))
    info = info_of_token(token, logon_info(None, 0), DOMAIN)
    pac = Pac(((1, pack_ndr_buffer(info)), (13, claims_buffer(CLAIMS))))
    found = identity_of(Pac.unpack(pac.pack()))
    again = build_token(found.user, found.sids, primary_group=found.primary_group)
    assert again == token
    assert found.claims.user == CLAIMS


def test_claims_without_the_sid_that_makes_them_valid_do_not_count() -> None:
    info = logon_info(DOMAIN, 1104, 513)
    pac = Pac(((1, pack_ndr_buffer(info)), (13, claims_buffer(CLAIMS))))
    assert identity_of(pac).claims.user == ()


@pytest.mark.parametrize(
    "buffers",
    [
        (),
        ((int(PacType.CLIENT_INFO), b""),),
        ((1, b"rubbish"),),
        ((1, pack_ndr_buffer(logon_info(None, 5))),),
    ],
)
def test_what_names_nobody_is_refused(buffers: tuple[tuple[int, bytes], ...]) -> None:
    with pytest.raises(DecodeError):
        identity_of(Pac(buffers))


def test_claims_that_cannot_be_read_are_no_token() -> None:
    info = replace(logon_info(DOMAIN, 1104), extra_sids=None)
    token = build_token(DOMAIN.child(1104), (wellknown.CLAIMS_VALID,))
    said = pack_ndr_buffer(info_of_token(token, info, DOMAIN))
    assert unpack_logon_info(said).extra_sids
    with pytest.raises(DecodeError):
        identity_of(Pac(((1, said), (13, b"\x01\x10\x08"))))
