"""DNS response codes.

Spec: RFC 6895 2.3, RFC 2136 2.2, RFC 8945 3.
"""

from addc.base.enums import OpenIntEnum


class Rcode(OpenIntEnum):
    """RCODE; above 15 with the extended bits of EDNS, or in the error field of TSIG and TKEY."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    YXRRSET = 7
    NXRRSET = 8
    NOTAUTH = 9
    NOTZONE = 10
    BADVERS = 16
    BADSIG = 16
    BADKEY = 17
    BADTIME = 18
    BADMODE = 19
    BADNAME = 20
    BADALG = 21
    BADTRUNC = 22
