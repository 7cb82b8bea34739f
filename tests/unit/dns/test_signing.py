"""Answers signed as they are given; our proofs judge what they prove, dnspython their signatures."""

from dataclasses import replace

import pytest
from dns.exception import ValidationFailure

from addc.codec.dns_data import RrsigData
from addc.codec.dns_message import Question, Record
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.dns.answer import QTYPE_ANY, Answer, answer
from addc.dns.nsec3 import Nsec3Proofs, Verdict
from addc.dns.signing import Signatures
from tests.kit.signed_samples import (
    KSK,
    NODES,
    NOW_S,
    ZSK,
    FakeZone,
    FakeZones,
    as_dnspython,
    asked,
    check_signatures,
    dnskeys,
    sample_zone,
    signing,
    zone_key,
)

ZONE = sample_zone()
ZONES = FakeZones(ZONE)
APEX = parse_name("x.test")


def _signed(reply: Answer) -> set[str]:
    message = as_dnspython(reply)
    keys = dnskeys(ZONE)
    return check_signatures([*message.answer, *message.authority, *message.additional], keys)


def _proofs(reply: Answer) -> Nsec3Proofs:
    return Nsec3Proofs(reply.authority, APEX)


def _denials(reply: Answer) -> list[Record]:
    return [one for one in reply.authority if one.type == DnsType.NSEC3]


def test_an_answer_and_its_addresses_are_signed() -> None:
    """RFC 4035 3.1.1."""
    reply = asked(ZONES, "x.test", DnsType.MX)
    assert _signed(reply) == {"x.test. MX", "DC1.x.test. A"}
    assert not _denials(reply)


@pytest.mark.parametrize(
    ("name", "encloser"),
    [("nope.x.test", "x.test"), ("b.deep.x.test", "deep.x.test"), ("a.b.c.dc1.x.test", "dc1.x.test")],
)
def test_names_that_are_not_there_are_denied(name: str, encloser: str) -> None:
    """RFC 5155 7.2.2; each record tells of one hash."""
    reply = asked(ZONES, name, DnsType.A)
    assert reply.rcode == Rcode.NXDOMAIN
    assert _proofs(reply).denies_name(parse_name(name)) is Verdict.SECURE
    assert _proofs(reply).denies_name(parse_name("other.x.test")) is Verdict.BOGUS
    assert len(_denials(reply)) == 3
    assert "x.test. SOA" in _signed(reply)
    assert sum(one.endswith("NSEC3") for one in _signed(reply)) == 3


@pytest.mark.parametrize(
    ("name", "qtype"),
    [
        ("dc1.x.test", DnsType.AAAA),
        ("deep.x.test", DnsType.A),
        ("x.test", DnsType.TXT),
        ("x.test", DnsType.DS),
        ("b.wild.x.test", DnsType.A),
        ("WILD.x.test", DnsType.A),
    ],
)
def test_types_that_are_not_there_are_denied(name: str, qtype: DnsType) -> None:
    """RFC 5155 7.2.3 - 7.2.5: at a name, an empty non-terminal, the apex, a wildcard."""
    reply = asked(ZONES, name, qtype)
    assert reply.rcode == Rcode.NOERROR and not reply.answers
    expected = Verdict.BOGUS if (name, qtype) == ("x.test", DnsType.DS) else Verdict.SECURE
    assert _proofs(reply).denies_type(parse_name(name), qtype) is expected
    assert "x.test. SOA" in _signed(reply)


def test_an_answer_from_a_wildcard_shows_that_the_name_is_none() -> None:
    """RFC 5155 7.2.6, RFC 4035 3.1.3.3."""
    reply = asked(ZONES, "b.wild.x.test", DnsType.TXT)
    assert "b.wild.x.test. TXT" in _signed(reply)
    (rrsig,) = [one.data for one in reply.answers if isinstance(one.data, RrsigData)]
    assert rrsig.labels == 3
    assert (
        _proofs(reply).denies_exact(parse_name("b.wild.x.test"), parse_name("wild.x.test")) is Verdict.SECURE
    )
    alias = asked(ZONES, "b.alias.x.test", DnsType.A)
    assert {"b.alias.x.test. CNAME", "dc1.x.test. A"} <= _signed(alias)
    assert (
        _proofs(alias).denies_exact(parse_name("b.alias.x.test"), parse_name("alias.x.test"))
        is Verdict.SECURE
    )


def test_a_chain_that_ends_nowhere() -> None:
    reply = asked(ZONES, "gone.x.test", DnsType.A)
    assert reply.rcode == Rcode.NXDOMAIN
    assert "gone.x.test. CNAME" in _signed(reply)
    assert _proofs(reply).denies_name(parse_name("nowhere.x.test")) is Verdict.SECURE


def test_what_follows_from_a_dname_is_not_signed() -> None:
    """RFC 6672 5.3.1."""
    reply = asked(ZONES, "a.old.x.test", DnsType.A)
    assert _signed(reply) == {"old.x.test. DNAME", "a.deep.x.test. A"}
    assert not _denials(reply)
    missing = asked(ZONES, "z.old.x.test", DnsType.A)
    assert _proofs(missing).denies_name(parse_name("z.deep.x.test")) is Verdict.SECURE


def test_referrals() -> None:
    """RFC 4035 3.1.4: the DS of a delegation, or that there is none; NS and glue are not signed."""
    unsigned = asked(ZONES, "www.sub.x.test", DnsType.A)
    assert _proofs(unsigned).no_ds(parse_name("sub.x.test")) is Verdict.SECURE
    assert all(one.endswith("NSEC3") for one in _signed(unsigned))
    safe = asked(ZONES, "www.safe.x.test", DnsType.A)
    assert _signed(safe) == {"safe.x.test. DS"}
    asked_ds = asked(ZONES, "safe.x.test", DnsType.DS)
    assert _signed(asked_ds) == {"safe.x.test. DS"}
    no_ds = asked(ZONES, "sub.x.test", DnsType.DS)
    assert _proofs(no_ds).denies_type(parse_name("sub.x.test"), DnsType.DS) is Verdict.SECURE


def test_the_keys_are_signed_by_the_key_signing_key_alone() -> None:
    """RFC 6781 3.1."""
    reply = asked(ZONES, "x.test", DnsType.DNSKEY)
    assert _signed(reply) == {"x.test. DNSKEY"}
    assert [one.data.key_tag for one in reply.answers if isinstance(one.data, RrsigData)] == [KSK.tag]
    mx = asked(ZONES, "x.test", DnsType.MX)
    assert {one.data.key_tag for one in mx.answers if isinstance(one.data, RrsigData)} == {ZSK.tag}


def test_everything_of_a_name_and_its_signatures_alone() -> None:
    whole = asked(ZONES, "x.test", QTYPE_ANY)
    kinds = {"SOA", "NS", "MX", "DNSKEY", "NSEC3PARAM"}
    assert {f"x.test. {one}" for one in kinds} <= _signed(whole)
    alone = asked(ZONES, "dc1.x.test", DnsType.RRSIG)
    assert {one.type for one in alone.answers} == {DnsType.RRSIG}
    assert not alone.authority
    nothing = asked(ZONES, "nope.x.test", DnsType.RRSIG)
    assert _proofs(nothing).denies_name(parse_name("nope.x.test")) is Verdict.SECURE


def test_names_keep_their_case() -> None:
    reply = asked(ZONES, "DC1.X.Test", DnsType.A)
    assert _signed(reply) == {"DC1.X.Test. A"}


def test_salt_and_iterations_of_the_zone_are_followed() -> None:
    salted = FakeZones(sample_zone(salt=b"\xab\xcd", iterations=3))
    reply = asked(salted, "nope.x.test", DnsType.A)
    assert Nsec3Proofs(reply.authority, APEX).denies_name(parse_name("nope.x.test")) is Verdict.SECURE


def test_a_zone_that_is_not_signed_gets_nothing() -> None:
    plain = FakeZones(FakeZone("x.test", NODES))
    for name, qtype in (("dc1.x.test", DnsType.A), ("nope.x.test", DnsType.A), ("dc1.x.test", DnsType.RRSIG)):
        reply = asked(plain, name, qtype)
        assert not any(
            one.type in (DnsType.RRSIG, DnsType.NSEC3) for one in (*reply.answers, *reply.authority)
        )


def test_signatures_are_kept_and_made_anew_before_they_end() -> None:
    """RFC 6781 4.4.2: a quarter of a signature's life is left when the next is made."""
    signatures = Signatures()
    first = asked(ZONES, "dc1.x.test", DnsType.A, signatures)
    made = signatures.made
    assert asked(ZONES, "dc1.x.test", DnsType.A, signatures).answers == first.answers
    assert signatures.made == made
    records = [one for one in first.answers if one.type == DnsType.A]
    assert ZONE.signing is not None
    later_s = NOW_S + 8 * 86_400
    (renewed,) = signatures.of(ZONE.signing, parse_name("dc1.x.test"), records, later_s)
    (old,) = [one.data for one in first.answers if isinstance(one.data, RrsigData)]
    assert renewed.expiration > old.expiration > later_s
    changed = [replace(one, ttl_s=5) for one in records]
    assert signatures.of(ZONE.signing, parse_name("dc1.x.test"), changed, NOW_S) != [old]


def test_denials_of_many_names_push_out_no_signature_that_is_in_use() -> None:
    """Denied: random names have a signature made each, and none made of what is asked for all the time."""
    signatures = Signatures(kept_max=20)
    first = asked(ZONES, "dc1.x.test", DnsType.A, signatures)
    asked(ZONES, "none.x.test", DnsType.A, signatures)
    for number in range(50):
        before = signatures.made
        asked(ZONES, f"n{number}.x.test", DnsType.A, signatures)
        assert signatures.made == before + 1, "for the name itself; the rest is the same for all"
        assert asked(ZONES, "dc1.x.test", DnsType.A, signatures).answers == first.answers
        assert signatures.made == before + 1


def test_times_of_signatures_stand_on_whole_hours() -> None:
    reply = asked(ZONES, "dc1.x.test", DnsType.A)
    (rrsig,) = [one.data for one in reply.answers if isinstance(one.data, RrsigData)]
    assert rrsig.inception % 3600 == rrsig.expiration % 3600 == 0
    assert rrsig.inception <= NOW_S - 3600


def test_signatures_made_while_the_clock_was_wrong_are_made_anew() -> None:
    """Denied: to show for days what begins to hold in the future, because the clock once was ahead."""
    signatures = Signatures()
    found = []
    for now_s in (NOW_S + 86_400, NOW_S):
        question = Question(parse_name("dc1.x.test"), DnsType.A)
        reply = answer(question, ZONES)
        assert reply is not None
        signatures.complete(reply, question, ZONES, now_s)
        found += [one.data for one in reply.answers if isinstance(one.data, RrsigData)]
    assert found[0].inception > NOW_S >= found[1].inception


def test_a_key_that_is_only_published_signs_nothing() -> None:
    later = replace(zone_key(9, ksk=False), pair=None, signs_zone=False)
    zone = FakeZone("x.test", NODES, signing("x.test", KSK, ZSK, later))
    reply = asked(FakeZones(zone), "dc1.x.test", DnsType.A)
    assert {one.data.key_tag for one in reply.answers if isinstance(one.data, RrsigData)} == {ZSK.tag}
    keys = asked(FakeZones(zone), "x.test", DnsType.DNSKEY)
    assert sum(one.type == DnsType.DNSKEY for one in keys.answers) == 3


def test_a_changed_record_is_found_out() -> None:
    reply = asked(ZONES, "known.wild.x.test", DnsType.A)
    forged = Answer(
        answers=[
            replace(one, data=NODES["dc1.x.test"][0].data) if one.type == DnsType.A else one
            for one in reply.answers
        ]
    )
    with pytest.raises(ValidationFailure):
        _signed(forged)
