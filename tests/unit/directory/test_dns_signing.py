"""Zones of the directory signed by keys on their dnsZone."""

import pytest

from addc.base.clock import DAY_FT, to_unix
from addc.base.errors import DsError, UserError
from addc.codec.dns_data import DnskeyData, DsData
from addc.codec.dns_message import Question
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType, TxtData
from addc.codec.dns_signing_keys import ExportedKey, RolloverStatus, SigningKeyDescriptor
from addc.codec.protected_data import ProtectedData
from addc.directory import dns_signing, names
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_keys import ITERATIONS_MAX, PublicKey, is_signed, keys_of, open_keys, signing_of
from addc.directory.dns_records import records_at, write_nodes
from addc.directory.dns_signing import SignWith, begin_roll, sign_zone, unsign_zone
from addc.directory.dns_zones import ZoneFacts, ZoneProperties, ZoneType, create_zone, zone_named
from addc.dns.answer import Answer, answer
from addc.dns.signing import Signatures, complete
from addc.dns.zone_memory import ZoneMemory
from addc.dns.zones import DirectoryZones
from addc.security.crypto.zone_signatures import Algorithm
from addc.security.zone_keys import ds_of
from tests.kit.corp import Corp, replace_values
from tests.kit.signed_samples import as_dnspython, check_signatures

ZONE = "corp.example.com"
APEX = parse_name(ZONE)


def _zone(ctx: ReadContext) -> ZoneFacts:
    found = zone_named(ctx, ZONE)
    assert found is not None
    return found


def _sign(corp: Corp, how: SignWith | None = None) -> list[PublicKey]:
    return corp.write(lambda ctx: sign_zone(ctx, _zone(ctx), how or SignWith()), corp.admin)


def _keys(corp: Corp) -> list[PublicKey]:
    return corp.read(lambda ctx: open_keys(ctx, keys_of(_zone(ctx).row)))


def _ask(corp: Corp, name: str, qtype: int) -> Answer:
    def work(ctx: ReadContext) -> Answer:
        memory = ZoneMemory()
        memory.follow(ctx)
        zones, question = DirectoryZones(ctx, memory), Question(parse_name(name), qtype)
        reply = answer(question, zones)
        assert reply is not None
        complete(reply, question, zones, to_unix(ctx.now), Signatures())
        return reply

    return corp.read(work)


def _checked(corp: Corp, name: str, qtype: int) -> set[str]:
    """What of an answer is signed by the zone's keys, as dnspython judges."""
    (keys,) = [one for one in as_dnspython(_ask(corp, ZONE, DnsType.DNSKEY)).answer if one.rdtype == 48]
    message = as_dnspython(_ask(corp, name, qtype))
    sets = [*message.answer, *message.authority, *message.additional]
    return check_signatures(sets, keys, now_s=to_unix(corp.now))


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSAP256SHA256, Algorithm.ECDSAP384SHA384])
def test_a_signed_zone_answers_with_signatures(corp: Corp, algorithm: Algorithm) -> None:
    """[MS-DNSP] 3.1.4.1 (SignZone); RFC 4035 3.1."""
    ksk, zsk = _sign(corp, SignWith(algorithm))
    assert (ksk.key.flags, zsk.key.flags) == (257, 256)
    assert f"dc1.{ZONE}. A" in _checked(corp, f"dc1.{ZONE}", DnsType.A)
    assert f"{ZONE}. DNSKEY" in _checked(corp, ZONE, DnsType.DNSKEY)
    assert f"{ZONE}. SOA" in _checked(corp, f"nope.{ZONE}", DnsType.A)
    cds = _ask(corp, ZONE, DnsType.CDS).answers[0].data
    assert cds == ds_of(APEX, ksk.key)
    assert _ask(corp, ZONE, DnsType.CDNSKEY).answers[0].data == ksk.key


def test_what_stands_on_the_zone_object(corp: Corp) -> None:
    """[MS-DNSP] 2.3.2.3 - 2.3.2.22, 3.1.7.1 (2): sealed for the domain's controllers."""
    _sign(corp)
    row = corp.read(_zone).row
    assert is_signed(row)
    dn = corp.read(lambda ctx: _zone(ctx).dn(ctx))
    assert corp.text(dn, "msDNS-SignWithNSEC3") == "TRUE"
    assert corp.text(dn, "msDNS-NSEC3Iterations") == "0"
    assert len(corp.values(dn, "msDNS-SigningKeyDescriptors")) == 2
    for value in corp.values(dn, "msDNS-SigningKeyDescriptors"):
        assert SigningKeyDescriptor.unpack(value).pack() == value
    for value in corp.values(dn, "msDNS-SigningKeys"):
        exported = ExportedKey.unpack(value)
        assert exported.algorithm == "ECDSA_P256"
        assert ProtectedData.unpack(exported.protected).sid == f"{corp.forest.domain_sid}-516"


def test_a_zone_of_the_whole_forest_is_sealed_for_all_its_controllers(corp: Corp) -> None:
    """[MS-DNSP] 3.1.7.1 (2)."""

    def work(ctx: ReadContext) -> ZoneFacts:
        found = zone_named(ctx, f"_msdcs.{ZONE}")
        assert found is not None
        return found

    corp.write(lambda ctx: sign_zone(ctx, work(ctx), SignWith()), corp.admin)
    pairs = corp.read(lambda ctx: keys_of(work(ctx).row)).pairs.values()
    assert {ProtectedData.unpack(one.protected).sid for one in pairs} == {"S-1-5-9"}


def test_no_private_key_is_in_what_ldap_shows(corp: Corp) -> None:
    """The sealed value never holds the number that signs."""
    keys = _sign(corp)
    dn = corp.read(lambda ctx: _zone(ctx).dn(ctx))
    shown = b"".join(corp.values(dn, "msDNS-SigningKeys") + corp.values(dn, "msDNS-SigningKeyDescriptors"))
    for one in keys:
        numbers = one.pair._key.private_numbers()  # type: ignore[union-attr]
        secret = numbers.private_value.to_bytes(32, "big")  # type: ignore[union-attr]
        assert secret not in shown


def test_who_may_not_change_the_zone_may_not_sign_it(corp: Corp) -> None:
    corp.user("mallory", "Passw0rd.Passw0rd")
    with pytest.raises(DsError):
        corp.write(lambda ctx: sign_zone(ctx, _zone(ctx), SignWith()), corp.token("mallory"))
    _sign(corp)
    with pytest.raises(DsError):
        corp.write(lambda ctx: unsign_zone(ctx, _zone(ctx)), corp.token("mallory"))
    with pytest.raises(DsError):
        corp.write(lambda ctx: begin_roll(ctx, _zone(ctx), is_ksk=False), corp.token("mallory"))
    assert len(_keys(corp)) == 2


def test_zones_that_cannot_be_signed(corp: Corp) -> None:
    corp.write(lambda ctx: create_zone(ctx, "away.test", ZoneProperties(ZoneType.FORWARDER)), corp.admin)

    def away(ctx: ReadContext) -> ZoneFacts:
        found = zone_named(ctx, "away.test")
        assert found is not None
        return found

    with pytest.raises(UserError, match="no zone whose records"):
        corp.write(lambda ctx: sign_zone(ctx, away(ctx), SignWith()), corp.admin)
    with pytest.raises(UserError, match="No keys of that algorithm"):
        _sign(corp, SignWith(8))
    _sign(corp)
    with pytest.raises(UserError, match="is signed"):
        _sign(corp)


def test_an_unsigned_zone_is_as_before(corp: Corp) -> None:
    """[MS-DNSP] 3.1.4.1 (UnsignZone)."""
    _sign(corp)
    corp.write(lambda ctx: unsign_zone(ctx, _zone(ctx)), corp.admin)
    assert corp.read(lambda ctx: signing_of(ctx, _zone(ctx).row, APEX)) is None
    assert not _ask(corp, ZONE, DnsType.DNSKEY).answers
    assert not corp.read(lambda ctx: dns_signing.is_key_master(ctx, _zone(ctx)))
    dn = corp.read(lambda ctx: _zone(ctx).dn(ctx))
    assert not corp.values(dn, "msDNS-SigningKeys")
    with pytest.raises(UserError, match="is not signed"):
        corp.write(lambda ctx: unsign_zone(ctx, _zone(ctx)), corp.admin)


def test_a_zone_signing_key_rolls_by_itself(corp: Corp) -> None:
    """RFC 6781 4.1.1.1: published, then signing, then gone; the job moves it on."""
    _, first = _sign(corp)
    corp.later(90 * 86_400 + 1)
    corp.write(dns_signing.step)
    assert len([one for one in _keys(corp) if not one.descriptor.is_ksk]) == 2
    assert f"dc1.{ZONE}. A" in _checked(corp, f"dc1.{ZONE}", DnsType.A)
    for _ in range(3):
        corp.later(5 * 86_400)
        corp.write(dns_signing.step)
        assert f"dc1.{ZONE}. A" in _checked(corp, f"dc1.{ZONE}", DnsType.A)
    (last,) = [one for one in _keys(corp) if not one.descriptor.is_ksk]
    assert last.tag != first.tag
    assert last.descriptor.next_rollover_ft == last.descriptor.last_rollover_ft + 90 * DAY_FT


def _ksks(corp: Corp) -> list[PublicKey]:
    return [one for one in _keys(corp) if one.descriptor.is_ksk]


def _ksk_waits(corp: Corp) -> tuple[PublicKey, PublicKey]:
    """A roll that was begun, up to where the parent has to act."""
    corp.write(lambda ctx: begin_roll(ctx, _zone(ctx), is_ksk=True), corp.admin)
    old, new = _ksks(corp)
    assert _ask(corp, ZONE, DnsType.CDS).answers[0].data == ds_of(APEX, old.key)
    corp.later(3 * 86_400)
    corp.write(dns_signing.step)
    assert _ask(corp, ZONE, DnsType.CDS).answers[0].data == ds_of(APEX, new.key)
    corp.later(300 * 86_400)
    corp.write(dns_signing.step)
    assert len(_ksks(corp)) == 2
    return old, new


def _parent(corp: Corp, *shown: DsData) -> bool:
    return corp.write(lambda ctx: dns_signing.parent_seen(ctx, _zone(ctx), shown, 86_400))


def test_a_key_signing_key_rolls_when_the_parent_shows_it(corp: Corp) -> None:
    """RFC 6781 4.1.2, RFC 7344 4: both sign until the old DS is forgotten."""
    _sign(corp)
    old, new = _ksk_waits(corp)
    forged = DsData(new.tag, new.key.algorithm, 2, bytes(32))
    assert _parent(corp, ds_of(APEX, old.key), forged), "the parent has a DS: that is noted"
    assert not _parent(corp, ds_of(APEX, old.key), forged)
    assert not _parent(corp)
    assert _ksks(corp)[1].descriptor.status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE
    assert _parent(corp, ds_of(APEX, new.key))
    assert len(_ksks(corp)) == 2
    corp.later(4 * 86_400)
    corp.write(dns_signing.step)
    (left,) = _ksks(corp)
    assert left.tag == new.tag
    assert f"{ZONE}. DNSKEY" in _checked(corp, ZONE, DnsType.DNSKEY)


@pytest.mark.parametrize("ds_ttl_s", [None, 3600])
def test_an_operator_confirms(corp: Corp, ds_ttl_s: int | None) -> None:
    _sign(corp)
    with pytest.raises(UserError, match="waits for its parent"):
        corp.write(lambda ctx: dns_signing.confirm(ctx, _zone(ctx), ds_ttl_s), corp.admin)
    _, new = _ksk_waits(corp)
    corp.write(lambda ctx: dns_signing.confirm(ctx, _zone(ctx), ds_ttl_s), corp.admin)
    corp.later(3 * 86_400)
    corp.write(dns_signing.step)
    assert [one.tag for one in _ksks(corp)] == [new.tag]


def test_one_roll_at_a_time_and_keys_that_are_needed_stay(corp: Corp) -> None:
    ksk, zsk = _sign(corp)
    with pytest.raises(UserError, match="signs"):
        corp.write(lambda ctx: dns_signing.retire(ctx, _zone(ctx), zsk.tag), corp.admin)
    with pytest.raises(UserError, match="has no key"):
        corp.write(lambda ctx: dns_signing.retire(ctx, _zone(ctx), 70_000), corp.admin)
    corp.write(lambda ctx: begin_roll(ctx, _zone(ctx), is_ksk=False), corp.admin)
    with pytest.raises(UserError, match="is being replaced"):
        corp.write(lambda ctx: begin_roll(ctx, _zone(ctx), is_ksk=True), corp.admin)
    (fresh,) = [one for one in _keys(corp) if one.tag not in (ksk.tag, zsk.tag)]
    corp.write(lambda ctx: dns_signing.retire(ctx, _zone(ctx), fresh.tag), corp.admin)
    assert {one.tag for one in _keys(corp)} == {ksk.tag, zsk.tag}


def test_only_the_key_master_makes_keys(corp: Corp) -> None:
    """[MS-DNSP] 2.3.2.23."""
    _sign(corp)
    assert corp.read(lambda ctx: dns_signing.is_key_master(ctx, _zone(ctx)))
    server = corp.read(lambda ctx: f"CN=DNS Settings,{_server(ctx)}")
    assert corp.values(server, "msDNS-KeymasterZones") == [corp.read(lambda ctx: _zone(ctx).dn(ctx)).encode()]
    corp.write(lambda ctx: dns_signing._set_master(ctx, _zone(ctx), is_master=False))
    corp.later(500 * 86_400)
    corp.write(dns_signing.step)
    assert len(_keys(corp)) == 2


def _server(ctx: ReadContext) -> str:
    return names.dn_of(ctx, ctx.forest.server_dnt)


def test_records_of_keys_in_the_apex_node_are_not_shown(corp: Corp) -> None:
    """Keys are those of the dnsZone alone."""
    _sign(corp)
    stray = DnsRecord(DnsType.DNSKEY, DnskeyData(257, 3, 13, bytes(64)))

    def work(ctx: WriteContext) -> None:
        zone = _zone(ctx)
        write_nodes(ctx, zone, {"@": [*records_at(ctx, zone, "@"), stray]})

    corp.write(work, corp.admin)
    shown = [one.data for one in _ask(corp, ZONE, DnsType.DNSKEY).answers if one.type == DnsType.DNSKEY]
    assert stray.data not in shown and len(shown) == 2


def test_a_changed_record_is_signed_at_once(corp: Corp) -> None:
    _sign(corp)

    def work(ctx: WriteContext) -> None:
        write_nodes(ctx, _zone(ctx), {"fresh": [DnsRecord(DnsType.TXT, TxtData((b"new",)))]})

    corp.write(work, corp.admin)
    assert f"fresh.{ZONE}. TXT" in _checked(corp, f"fresh.{ZONE}", DnsType.TXT)


def test_a_zone_says_no_number_of_hashes_that_stops_the_server(corp: Corp) -> None:
    """Denied: 10,000 iterations of NSEC3 for each name that is not there (RFC 9276 3.1)."""
    _sign(corp)
    dn = corp.read(lambda ctx: _zone(ctx).dn(ctx))
    corp.modify(dn, replace_values("msDNS-NSEC3Iterations", "10000"))
    signing = corp.read(lambda ctx: signing_of(ctx, _zone(ctx).row, APEX))
    assert signing is not None and signing.iterations == ITERATIONS_MAX
    assert f"{ZONE}. NSEC3PARAM" in _checked(corp, ZONE, DnsType.NSEC3PARAM)
    _checked(corp, f"none.{ZONE}", DnsType.A)
