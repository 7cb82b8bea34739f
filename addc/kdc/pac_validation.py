"""PAC validation for member servers: whether the KDC of this domain signed what a ticket brought them.

The generic pass-through of Netlogon brings the request and takes the status back.

Spec: [MS-APDS] 2.2.4.1, 3.2.5.6, [MS-PAC] 2.8.4.
"""

from addc.base.errors import DecodeError
from addc.codec.pac import PacSignatureData
from addc.codec.verify_pac import KerbVerifyPacRequest
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import KeyRing
from addc.kdc.ticket_pac import is_signed_by, krbtgt_keys


def verify_pac(message: bytes, krbtgt: KeyRing) -> NtStatus:
    """STATUS_SUCCESS, or STATUS_LOGON_FAILURE for a signature that no key of krbtgt made."""
    try:
        request = KerbVerifyPacRequest.unpack(message)
    except DecodeError:
        return NtStatus.STATUS_INVALID_PARAMETER
    signature = PacSignatureData(request.signature_type, request.kdc)
    keys = krbtgt_keys(krbtgt, request.signature_type)
    if any(is_signed_by(key, signature, request.server) for key in keys):
        return NtStatus.STATUS_SUCCESS
    return NtStatus.STATUS_LOGON_FAILURE
