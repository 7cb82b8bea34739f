"""Samba's reader of NETLOGON_SAM_LOGON_RESPONSE* over our answers to locator pings."""

from dataclasses import replace

from addc.codec import locator_ping as ping
from addc.codec.locator_ping import Opcode
from tests.kit.samba_bindings import ask_samba
from tests.unit.codec.test_locator_ping import ANSWER

_READ = """
from samba.dcerpc import nbt
answer = {}
for kind, data in given.items():
    found = ndr_unpack(getattr(nbt, kind), bytes.fromhex(data))
    values = {name: getattr(found, name) for name in dir(found) if not name.startswith('_')}
    answer[kind] = {name: str(v) for name, v in values.items() if type(v) in (str, int) or 'uuid' in name}
    if kind.endswith('_EX'):
        answer[kind]['address'] = found.sockaddr.pdc_ip
"""


def test_samba_reads_all_three_shapes() -> None:
    """Its structure of the extended answer always has an address and the next closest site."""
    older = replace(ANSWER, opcode=Opcode.LOGON_SAM_LOGON_RESPONSE)
    newest = replace(ANSWER, next_closest_site="Site-B")
    given = {
        "NETLOGON_SAM_LOGON_RESPONSE_EX": ping.pack_response_ex(newest, with_address=True).hex(),
        "NETLOGON_SAM_LOGON_RESPONSE": ping.pack_response(older).hex(),
        "NETLOGON_SAM_LOGON_RESPONSE_NT40": ping.pack_response_nt40(older).hex(),
    }
    read = ask_samba(_READ, given)
    ex, v5, nt40 = (read[name] for name in given)
    assert isinstance(ex, dict) and isinstance(v5, dict) and isinstance(nt40, dict)
    assert (ex["command"], v5["command"], nt40["command"]) == ("23", "19", "19")
    for one in (ex, v5):
        assert one["domain_uuid"] == str(ANSWER.domain_guid)
        assert (one["forest"], one["dns_domain"]) == ("example.com", "corp.example.com")
        assert one["pdc_dns_name"] == "dc1.corp.example.com"
    assert (ex["domain_name"], ex["pdc_name"], ex["user_name"]) == ("CORP", "DC1", "alice")
    assert (ex["server_site"], ex["client_site"], ex["next_closest_site"]) == ("Site-A", "", "Site-B")
    for one in (v5, nt40):
        assert (one["pdc_name"], one["user_name"], one["domain_name"]) == ("\\\\DC1", "alice", "CORP")
    assert ex["address"] == v5["pdc_ip"] == "192.0.2.10"
