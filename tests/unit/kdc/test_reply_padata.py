"""What replies tell beside tickets: encrypted-pa-data, and hints at keys."""

import pytest

from addc.codec.krb5 import AsRep, PaData, PaPacOptions
from addc.codec.krb5_numbers import KdcOptions, PaType
from addc.codec.pac import PacType, pac_spans
from addc.kdc.ticket_pac import find_pac
from tests.kit.kdc_realm import ALICE, KRBTGT, Client, make_key, principal, timestamp

PAC_OPTIONS = int(PaType.PA_PAC_OPTIONS)
CANONICAL = int(KdcOptions.CANONICALIZE | KdcOptions.FORWARDABLE)
PLAIN = int(KdcOptions.FORWARDABLE)


def pac_options(flags: int) -> PaData:
    return PaData(PAC_OPTIONS, PaPacOptions(flags).pack())


@pytest.mark.parametrize("options", [CANONICAL, PLAIN])
def test_what_a_service_supports_is_told_to_who_canonicalizes(options: int) -> None:
    """[MS-KILE] 3.3.5.6, 3.3.5.7: PA-SUPPORTED-ENCTYPES."""
    tgt = Client().log_on(kdc_options=options)
    got = tgt.get(kdc_options=options)
    told = (tgt.part.encrypted_pa_data, got.part.encrypted_pa_data)
    if options == PLAIN:
        assert told == (None, None)
    else:
        assert [[one.padata_type for one in padata or ()] for padata in told] == [[165], [165]]


def test_a_service_that_lists_nothing_supports_what_the_domain_does() -> None:
    tgt = Client().log_on()
    silent = principal("SILENT$", 1200, 0x1000, has_spn=True)
    got = tgt.get(facts=tgt.facts(silent))
    assert got.part.encrypted_pa_data == (PaData(165, b"\x18\0\0\0"),)


def test_pac_options_come_back_where_there_are_any() -> None:
    """[MS-KILE] 3.3.5.6: PA-PAC-OPTIONS."""
    tgt = Client().log_on(pac_options(0x4000_0000), kdc_options=PLAIN)
    assert tgt.part.encrypted_pa_data == (pac_options(0x4000_0000),)
    assert tgt.get(pac_options(0), kdc_options=PLAIN).part.encrypted_pa_data is None


def test_a_reply_by_rc4_tells_of_no_salt() -> None:
    listed = principal("old", 1201, supported_enctypes=0x4)
    client = Client(listed)
    outcome = client.ask(timestamp(make_key(23, "old")), etype=(18, 23))
    assert AsRep.unpack(outcome.reply).padata is None
    assert [one.padata_type for one in AsRep.unpack(_granted()).padata or ()] == [19]


def _granted() -> bytes:
    return Client().ask(timestamp(ALICE.keys.current[18])).reply


@pytest.mark.parametrize("name", ["al", "ali", "alic", "alice", "alice1", "alice.person"])
def test_upn_dns_info_fills_whole_words(name: str) -> None:
    """[MS-PAC] 2.10: Windows counts the filling in; readers of its PACs have seen no other."""
    person = principal(name, 1202)
    tgt = Client(person).log_on()
    pac = find_pac(tgt.opened(KRBTGT.keys.current[18]).authorization_data)
    assert pac is not None
    sizes = {kind: end - start for kind, start, end in pac_spans(pac)}
    assert sizes[PacType.UPN_DNS_INFO] % 8 == 0
