"""A record of every type as a master file writes it, and messages of every kind."""

from dataclasses import replace
from typing import Final

from addc.codec.dns_data import TkeyData, TsigData
from addc.codec.dns_message import (
    CLASS_ANY,
    CLASS_IN,
    CLASS_NONE,
    OPCODE_UPDATE,
    OPTION_COOKIE,
    Edns,
    Message,
    Question,
    Record,
    TsigRecord,
)
from addc.codec.dns_names import Name, name_text, parse_name
from addc.codec.dns_rdata import AData, DnsType, RawData, SrvData
from addc.codec.dns_text import parse_rdata
from addc.codec.dns_words import parse_type
from addc.codec.zone_file import words_of

APEX: Final[Name] = (b"example", b"com")

TEXTS: Final[tuple[tuple[str, str], ...]] = (
    ("A", "192.0.2.7"),
    ("AAAA", "2001:db8::7"),
    ("NS", "dc1.example.com."),
    ("CNAME", "Host.Example.COM."),
    ("PTR", "my\\032printer.example.com."),
    ("DNAME", "other.example."),
    ("SOA", "dc1.example.com. host\\.master.example.com. 4294967295 900 600 86400 3600"),
    ("SRV", "0 100 389 dc1.example.com."),
    ("MX", "10 mail.example.com."),
    ("AFSDB", "1 afs.example.com."),
    ("RT", "10 relay.example.com."),
    ("KX", "10 kx.example.com."),
    ("PX", "10 map.example.com. x400.example.com."),
    ("RP", "admin.example.com. text.example.com."),
    ("TXT", '"v=spf1 -all" "" "a\\"quote" "back\\\\slash" "\\255\\000"'),
    ("SPF", '"v=spf1 -all"'),
    ("HINFO", '"AMD64" "LINUX"'),
    ("ISDN", '"150862028003217" "004"'),
    ("X25", '"311061700956"'),
    ("GPOS", '"-32.6882" "116.8652" "10.0"'),
    ("NINFO", '"status" "ok"'),
    ("AVC", '"app-name:WOLFGANG|app-class:OAM"'),
    ("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m"),
    ("NAPTR", '100 50 "s" "http+N2L+N2C+N2R" "" www.example.com.'),
    ("WKS", "192.0.2.7 6 25 80"),
    ("NSAP", "0x47000580005A0000000001E133FFFFFF00016100"),
    ("KEY", "256 3 13 AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1kxkmvHjcZc8no"),
    ("DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxIL"),
    ("CDNSKEY", "0 3 0 AA=="),
    ("DS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    ("CDS", "0 0 0 00"),
    ("DLV", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    (
        "RRSIG",
        "A 13 3 86400 20300322173103 20300220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTr",
    ),
    ("NSEC", "Host.example.com. A MX RRSIG NSEC TYPE1234"),
    ("NSEC3", "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM"),
    ("NSEC3PARAM", "1 0 0 -"),
    ("TLSA", "3 1 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971"),
    ("SMIMEA", "3 1 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971"),
    ("SSHFP", "2 1 123456789ABCDEF67890123456789ABCDEF67890"),
    ("CAA", '0 issue "ca.example.net; policy=ev"'),
    ("URI", '10 1 "ftp://ftp1.example.com/public"'),
    ("CERT", "1 4711 8 AQPSKmynfzW4kyBv015MUG2DeIQ3"),
    ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    ("OPENPGPKEY", "mDMEXEcE6RYJKwYBBAHaRw8BAQdArjWwk3FAqyiFbFBKT4TzXcVBqPTB3gmz"),
    ("CSYNC", "66 3 A NS AAAA"),
    ("ZONEMD", "2018031500 1 1 " + "FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE" * 2),
    ("EUI48", "00-00-5e-00-53-2a"),
    ("EUI64", "00-00-5e-ef-10-00-00-2a"),
    ("APL", "1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32"),
    ("IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
    ("IPSECKEY", "10 3 2 mygateway.example.com. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
    ("SVCB", '1 svc.example.net. alpn="h2,h3" port=8004 ipv4hint=192.0.2.1 key667="hello"'),
    ("SVCB", '16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1'),
    ("HTTPS", '1 . alpn="h2" no-default-alpn ech=AAT+DQAA ipv6hint=2001:db8::1,2001:db8::53:1'),
    ("HTTPS", "0 pool.svc.example."),
    ("TYPE65280", "\\# 4 0A000001"),
)
"""What dnspython reads, too; in the form that is written here."""

OURS: Final[tuple[tuple[str, str], ...]] = (
    ("MB", "mail.example.com."),
    ("MG", "mail.example.com."),
    ("MR", "mail.example.com."),
    ("MD", "mail.example.com."),
    ("MF", "mail.example.com."),
    ("MINFO", "admin.example.com. errors.example.com."),
    (
        "SIG",
        "A 5 3 86400 20300322173103 20300220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTr",
    ),
    ("NXT", "medium.example.com. A MX SIG NXT"),
    ("ATMA", "39246F00E7C9C0312000100001000012345678"),
    ("ATMA", "+358400123400"),
    ("WINS", "LOCAL L2 C900 ( 192.0.2.1 192.0.2.2 )"),
    ("WINSR", "L5 C900 example.com."),
    ("NULL", "\\# 3 010203"),
)
"""What dnspython does not read."""


def records() -> list[Record]:
    """A record of each text, each of a name of its own; the SOA is the zone's."""
    made = []
    for index, (kind, text) in enumerate((*TEXTS, *OURS)):
        rtype = parse_type(kind)
        owner = APEX if rtype == DnsType.SOA else (f"n{index}".encode(), *APEX)
        made.append(Record(owner, rtype, CLASS_IN, 600, parse_rdata(rtype, words_of(text))))
    return made


def messages() -> list[Message]:
    """Queries, replies, an update and what TKEY and TSIG add."""
    name = parse_name("_ldap._tcp.dc._msdcs.example.com")
    query = Message(7, rd=True, cd=True, questions=(Question(name, DnsType.SRV),))
    hosts = [(f"dc{number}".encode(), *APEX) for number in (1, 2, 3)]
    services = tuple(
        Record(name, DnsType.SRV, CLASS_IN, 600, SrvData(0, 100, 389, name_text(host))) for host in hosts
    )
    addresses = tuple(
        Record(host, DnsType.A, CLASS_IN, 3600, AData(bytes((192, 0, 2, at))))
        for at, host in enumerate(hosts)
    )
    every = records()
    tsig = TsigData("hmac-sha256", 1_700_000_000, 300, bytes(range(32)), 7)
    tkey = TkeyData("gss-tsig", 1_700_000_000, 1_700_086_400, 3, 0, b"token" * 20)
    key_name = parse_name("4711.example.com")
    prerequisites = (
        Record(hosts[0], 255, CLASS_NONE, 0, RawData(b"")), Record(hosts[1], 1, CLASS_ANY, 0, RawData(b""))
    )  # fmt: skip
    changes = (*addresses[:1], Record(hosts[2], 1, CLASS_NONE, 0, AData(bytes((192, 0, 2, 2)))))
    return [
        query,
        replace(query, edns=Edns(4096, 0, True, ((OPTION_COOKIE, bytes(8)), (12, b"")))),
        replace(query, qr=True, aa=True, ra=True, answers=services, additional=addresses, edns=Edns()),
        replace(query, qr=True, aa=True, rcode=3, authority=tuple(every[10:14])),
        *(replace(query, qr=True, answers=tuple(every[at : at + 8])) for at in range(0, len(every), 8)),
        Message(8, qr=True, rcode=16, edns=Edns(1232, 1)),
        Message(
            9,
            OPCODE_UPDATE,
            questions=(Question(APEX, DnsType.SOA),),
            answers=prerequisites,
            authority=changes,
            tsig=TsigRecord(key_name, tsig),
        ),
        Message(
            10,
            questions=(Question(key_name, DnsType.TKEY, CLASS_ANY),),
            additional=(Record(key_name, DnsType.TKEY, CLASS_ANY, 0, tkey),),
        ),
    ]
