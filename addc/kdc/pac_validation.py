"""PAC validation for member servers: whether the KDC of this domain signed what a ticket brought them.

The generic pass-through of Netlogon brings the request and takes the status back.

Spec: [MS-APDS] 2.2.4.1, 3.2.5.6, [MS-PAC] 2.8.4.
"""

from addc.base.errors import DecodeError
from addc.codec.verify_pac import KerbVerifyPacRequest
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import KeyRing
from addc.security.krb_keys import ETYPES, KeyUsage, verify_checksum


def verify_pac(message: bytes, krbtgt: KeyRing) -> NtStatus:
    """STATUS_SUCCESS, or STATUS_LOGON_FAILURE for a signature that no key of krbtgt made.

    Its RC4 key, the NT hash, signs no PAC.
    """
    try:
        request = KerbVerifyPacRequest.unpack(message)
    except DecodeError:
        return NtStatus.STATUS_INVALID_PARAMETER
    for keys in (krbtgt.current, *(former for _, former in krbtgt.old)):
        for key in keys.values():
            info = ETYPES[key.etype]
            if info.insecure or int(info.cksumtype) != request.signature_type:
                continue
            try:
                usage = int(KeyUsage.KERB_NON_KERB_CKSUM_SALT)
                if verify_checksum(key, usage, request.server, request.signature_type, request.kdc):
                    return NtStatus.STATUS_SUCCESS
            except DecodeError:
                continue
    return NtStatus.STATUS_LOGON_FAILURE
