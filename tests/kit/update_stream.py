"""Signed updates one after the other, by dnspython, until standard input ends: SERVER ZONE PREFIX SIGNER.

SIGNER is `NAME:SECRET` of a SHA-256 key, or `gss:FQDN` for whoever has tickets. Prints each name as it is
acknowledged, `again` where a security context had to be made anew. Like any client it asks again where there
is no answer, or one that says that the server could not.
"""

import itertools
import select
import sys
import time
import uuid
from typing import Any, Final

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import gssapi
from dns.rdtypes.ANY.TKEY import TKEY

_WAIT_S: Final = 2.0
_GIVE_UP_S: Final = 60.0


class Signer:
    """Who signs; `renew` is for contexts, which end with the process that keeps them."""

    def __init__(self, server: str, words: str) -> None:
        self._server = server
        kind, self._rest = words.split(":", 1)
        self._fqdn = self._rest if kind == "gss" else ""
        if not self._fqdn:
            self.name = dns.name.from_text(kind)
            self.ring: Any = dns.tsigkeyring.from_text({kind: self._rest})
            self.algorithm = dns.tsig.HMAC_SHA256

    def renew(self) -> None:
        """Make a security context by TKEY (RFC 3645 3.1), over a connection of its own."""
        if not self._fqdn:
            return
        target = gssapi.Name(f"DNS@{self._fqdn}", gssapi.NameType.hostbased_service)
        context = gssapi.SecurityContext(name=target, usage="initiate")
        self.name = dns.name.from_text(f"{uuid.uuid4()}.py")
        self.algorithm = dns.tsig.GSS_TSIG
        key: Any = dns.tsig.Key(self.name, context, dns.tsig.GSS_TSIG)  # type: ignore[arg-type]
        self.ring = dns.tsig.GSSTSigAdapter({self.name: key})  # type: ignore[no-untyped-call]
        token, now = context.step(), int(time.time())
        query = dns.message.make_query(self.name, dns.rdatatype.TKEY, dns.rdataclass.ANY)
        records = query.find_rrset(
            query.additional, self.name, dns.rdataclass.ANY, dns.rdatatype.TKEY, create=True
        )
        algorithm = dns.tsig.GSS_TSIG
        records.add(TKEY(dns.rdataclass.ANY, dns.rdatatype.TKEY, algorithm, now, now, 3, 0, token, b""))  # type: ignore[no-untyped-call]
        query.keyring = self.ring
        dns.query.tcp(query, self._server, timeout=_WAIT_S)
        assert context.complete


def _acknowledged(server: str, zone: str, name: str, signer: Signer) -> bool:
    update = dns.update.UpdateMessage(
        zone, keyring=signer.ring, keyname=signer.name, keyalgorithm=signer.algorithm
    )
    update.add(name, 300, "TXT", name)
    reply = dns.query.udp(update, server, timeout=_WAIT_S)  # each from a port of its own
    return reply.rcode() == dns.rcode.NOERROR and reply.had_tsig


def _until_acknowledged(server: str, zone: str, name: str, signer: Signer) -> None:
    deadline = time.monotonic() + _GIVE_UP_S
    while time.monotonic() < deadline:
        try:
            if _acknowledged(server, zone, name, signer):
                return
        except (dns.tsig.PeerBadKey, dns.tsig.BadSignature):
            # The message comes back as it went where its context is unknown ([MS-GSSA] 3.1.5.3, note 1).
            try:
                signer.renew()
                print("again", flush=True)
            except (dns.exception.DNSException, OSError, AssertionError):
                time.sleep(0.1)
        except (dns.exception.DNSException, OSError):
            time.sleep(0.1)
    raise SystemExit(f"{name} was not acknowledged within {_GIVE_UP_S:.0f} s")


def main(server: str, zone: str, prefix: str, words: str) -> None:
    """Until nobody reads any more."""
    signer = Signer(server, words)
    signer.renew()
    for number in itertools.count():
        if select.select([sys.stdin], [], [], 0)[0]:
            return
        name = f"{prefix}{number}"
        _until_acknowledged(server, zone, name, signer)
        print(name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])
