"""Why a test of conformance_dns.py is not ok with addc: by suite and test; `*` for all of a suite."""

from typing import Final

_NETBIOS: Final = "asks a NetBIOS name server, which neither server is here"
_FILE: Final = (
    "calls Samba's own scavenging, made for its own file of the directory and its own matching rule"
)
_CACHE: Final = (
    "an effect, by the test's own words, of the copy that Windows' server keeps, which what is written by "
    "LDAP does not reach; here the directory counts"
)
_512: Final = "without EDNS no datagram has more than 512 octets (RFC 1035 4.2.1): TC is set"
_ANY: Final = "ANY by UDP gets an empty answer with TC (RFC 8482 4.4); by TCP it gets all"
_OUTSIDE: Final = "outside its zones, no recursion wanted: REFUSED; Windows, the test says: NOERROR"
_ECHO: Final = (
    "who signs by GSS-API and is not believed gets the message back with REFUSED, as from Windows; later "
    "versions of the test want that"
)
_ALIAS: Final = "an alias is alone (RFC 1034 3.6.2); a new one replaces the old ([MS-DNSP] 3.1.4.5)"
_MAC: Final = (
    "leaves out the length of the request's MAC (RFC 8945 4.3.1); later versions of the test have it"
)
_SERIAL: Final = "Windows raises a zone's serial above what it finds in records; here the SOA's alone counts"
_TOY: Final = (
    "the alias that the test's server answers leads to itself: SERVFAIL; Samba passes such answers on unread"
)
_DESCRIPTOR: Final = "a zone's descriptor is the schema's default; what differs is inherited all the same"

REMARKS: Final[dict[tuple[str, str], str]] = {
    ("dns_packet", "*"): _NETBIOS,
    ("dns_tkey", "TestDNSUpdates.test_update_tsig"): _MAC,
    ("dns_tkey", "TestDNSUpdates.test_update_tsig_windows"): _MAC,
    ("dns_tkey", "TestDNSUpdates.test_update_tsig_bad_keyname"): _ECHO,
    ("dns_tkey", "TestDNSUpdates.test_update_tsig_bad_mac"): _ECHO,
    ("dns_tkey", "TestDNSUpdates.test_update_wo_tsig"): "finds what the first test left when it failed",
    ("dcerpc.dnsserver", "DnsserverTests.test_duplicate_matching"): _ALIAS,
    ("dcerpc.dnsserver", "DnsserverTests.test_add_duplicate_different_type"): (
        "wants records replaced by others of other types, which neither server does"
    ),
    ("dcerpc.dnsserver", "DnsserverTests.test_rank_none"): "a record without a rank is none of the zone's",
    ("dcerpc.dnsserver", "*"): _DESCRIPTOR,
    ("samba_tool.dnscmd", "DnsCmdTestCase.test_add_overlapping_different_type"): _ALIAS,
    ("samba_tool.dnscmd", "DnsCmdTestCase.test_update_valid_type"): _ALIAS,
    ("samba_tool.dnscmd", "DnsCmdTestCase.test_zoneoptions_mark_records"): f"counts records: {_ALIAS}",
    ("samba_tool.dnscmd", "DnsCmdTestCase.test_zoneoptions_aging"): (
        "an interval of 0 stands for the default, 168 ([MS-DNSP] 3.1.1.2.1)"
    ),
    ("samba_tool.dnscmd", "DnsCmdTestCase.test_dns_wildcards"): (
        "`*.` ends with a dot: a whole name, and outside the zone"
    ),
    ("dns", "TestComplexQueries.test_cname_any_query"): _ANY,
    ("dns", "TestSimpleQueries.test_qtype_all_query"): _ANY,
    ("dns", "TestComplexQueries.test_cname_loop"): "a ring of aliases is told once, not up to a limit of 20",
    ("dns", "TestComplexQueries.test_invalid_empty_cname"): "the root is a name that an alias may have",
    ("dns", "TestComplexQueries.test_record_limit_AAAA"): _512,
    ("dns", "TestComplexQueries.test_record_limit_SRV"): _512,
    ("dns", "TestRPCRoundtrip.test_update_add_empty_txt_records"): (
        "a TXT record has one string or more (RFC 1035 3.3.14): FORMERR"
    ),
    ("dns", "TestZones.test_soa_query"): _OUTSIDE,
    ("dns", "TestZones.test_dns_tombstone_custom_match_rule_fail"): "of a matching rule that is Samba's own",
    ("dns", "TestZones.test_dns_tombstone_custom_match_rule"): "of a matching rule that is Samba's own",
    ("dns", "TestZones.test_basic_scavenging"): _FILE,
    ("dns_aging", "TestDNSAging.test_basic_scavenging"): _FILE,
    ("dns_aging", "TestDNSAging.test_samba_scavenging"): _FILE,
    ("dns_aging", "TestDNSAging.test_add_update_dwReserved"): (
        "the reserved field is 0 in all that is written ([MS-DNSP] 2.3.2.2)"
    ),
    ("dns_aging", "TestDNSAging.test_add_update_dwSerial"): _SERIAL,
    ("dns_aging", "TestDNSAging.test_add_update_ttl_serial"): _SERIAL,
    ("dns_aging", "TestDNSAging.test_add_update_many"): _SERIAL,
    ("dns_aging", "*"): _CACHE,
    ("dns_forwarder", "TestDnsForwarding.test_no_flag_recursive_forwarder"): _OUTSIDE,
    ("dns_forwarder", "TestDnsForwarding.test_double_forwarder_both_slow"): (
        "the forwarder that was silent in the tests before is asked after the other"
    ),
    ("dns_forwarder", "*"): _TOY,
}
