"""A name server of "the outside world": answers every A question for *.outside.test with 203.0.113.7.

Run as `python -m tests.kit.outside_dns ADDRESS`; serves UDP and TCP on port 53 until it is ended.
"""

import sys
import threading

from dnslib import QTYPE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSServer


class Outside(BaseResolver):  # type: ignore[misc]
    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        reply = request.reply(aa=0)
        if str(request.q.qname).lower().endswith("outside.test."):
            reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A("203.0.113.7"), ttl=60))
        else:
            reply.header.rcode = 3
        return reply


if __name__ == "__main__":
    for tcp in (False, True):
        server = DNSServer(Outside(), address=sys.argv[1], port=53, tcp=tcp)
        server.start_thread()
    threading.Event().wait()
