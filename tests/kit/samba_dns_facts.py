"""What a DNS server tells over DnsServer, by Samba's bindings: SERVER USER PASSWORD REALM ADDRESS...

Belongs to the system's Python. Prints JSON: queries (by UDP and TCP, as it counts them), and for each ADDRESS
the verdict of IpValidate for the domain's zone.
"""

import json
import struct
import sys

from samba.credentials import MUST_USE_KERBEROS, Credentials
from samba.dcerpc import dnsserver
from samba.param import LoadParm

_VERSION = dnsserver.DNS_CLIENT_VERSION_LONGHORN
_TIME, _QUERY = 1, 2


def main(server: str, user: str, password: str, realm: str, *addresses: str) -> None:
    parameters = LoadParm()
    parameters.load_default()
    logon = Credentials()
    logon.guess(parameters)
    logon.set_username(user)
    logon.set_password(password)
    logon.set_realm(realm)
    logon.set_kerberos_state(MUST_USE_KERBEROS)
    console = dnsserver.dnsserver(f"ncacn_ip_tcp:{server}[seal]", parameters, logon)

    def ask(word: str, kind: int, data: object) -> object:
        return console.DnssrvComplexOperation2(_VERSION, 0, server, None, word, kind, data)[1]

    told = bytes(ask("Statistics", dnsserver.DNSSRV_TYPEID_DWORD, _TIME | _QUERY).Buffer)  # type: ignore[attr-defined]
    found, at = {}, 0
    while at < len(told):
        kind, length = struct.unpack_from("<IH", told, at)
        found[kind] = told[at + 8 : at + 8 + length]
        at += 8 + length
    queries = struct.unpack_from("<6I", found[_QUERY])
    asked = dnsserver.DNS_RPC_IP_VALIDATE()
    asked.dwRpcStructureVersion = 1
    asked.pszContextName = realm.lower()
    listed = dnsserver.DNS_ADDR_ARRAY()
    listed.MaxCount = listed.AddrCount = len(addresses)
    listed.AddrArray = [_address(one) for one in addresses]
    asked.aipValidateAddrs = listed
    verdicts = ask("IpValidate", dnsserver.DNSSRV_TYPEID_IP_VALIDATE, asked).AddrArray  # type: ignore[attr-defined]
    print(json.dumps({"queries": queries, "verdicts": [_verdict(one) for one in verdicts]}))


def _address(text: str) -> object:
    found = dnsserver.DNS_ADDR()
    octets = list(struct.pack("<HH4B", 2, 0, *map(int, text.split("."))))
    found.MaxSa = octets + [0] * (32 - len(octets))
    found.DnsAddrUserDword = [16, 0, 0, 0, 0, 0, 0, 0]
    return found


def _verdict(found: object) -> int:
    """The error of an address, 0 where it is a server of the zone."""
    return int(found.DnsAddrUserDword[2]) >> 20  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
