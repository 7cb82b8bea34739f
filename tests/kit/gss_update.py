"""One update by dnspython's own GSS-TSIG, for whoever has tickets: ADDRESS FQDN ZONE TEXT."""

import sys
import time
import uuid

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update
import gssapi
from dns.rdtypes.ANY.TKEY import TKEY


def main(server: str, fqdn: str, zone: str, text: str) -> None:
    """Make a context, update under it, print the response code and whether the reply was signed."""
    target = gssapi.Name(f"DNS@{fqdn}", gssapi.NameType.hostbased_service)
    context = gssapi.SecurityContext(name=target, usage="initiate")
    key_name = dns.name.from_text(f"{uuid.uuid4()}.py")
    ring = dns.tsig.GSSTSigAdapter({key_name: dns.tsig.Key(key_name, context, dns.tsig.GSS_TSIG)})  # type: ignore[no-untyped-call,arg-type]
    token, now = context.step(), int(time.time())
    query = dns.message.make_query(key_name, dns.rdatatype.TKEY, dns.rdataclass.ANY)
    records = query.find_rrset(
        query.additional, key_name, dns.rdataclass.ANY, dns.rdatatype.TKEY, create=True
    )
    asked = TKEY(dns.rdataclass.ANY, dns.rdatatype.TKEY, dns.tsig.GSS_TSIG, now, now, 3, 0, token, b"")  # type: ignore[no-untyped-call]
    records.add(asked)
    query.keyring = ring
    dns.query.tcp(query, server)
    assert context.complete
    update = dns.update.UpdateMessage(zone, keyring=ring, keyname=key_name, keyalgorithm=dns.tsig.GSS_TSIG)
    update.add("by-python", 300, "TXT", text)
    reply = dns.query.tcp(update, server)
    print(dns.rcode.to_text(reply.rcode()), reply.had_tsig)


if __name__ == "__main__":
    main(*sys.argv[1:5])
