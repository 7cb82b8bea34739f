"""KRB-ERROR messages: codes, times, and the NTSTATUS that Windows shows its user.

Spec: RFC 4120 5.9.1, [MS-KILE] 2.2.1, 2.2.2.
"""

from typing import Final

from addc.base.clock import FileTime, micros, whole_seconds
from addc.codec.krb5 import KerbErrorData, KerbExtError, KrbError, MethodData, PrincipalName
from addc.codec.krb5_numbers import KerbErrorDataType, NameType
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import KdcRefusal

_SERVICE: Final = int(NameType.KRB_NT_SRV_INST)
_AS_FLAGS, _TGS_FLAGS = 1, 3
"""As Windows' KDC has them; [MS-KILE] 2.2.1 tells of the first alone."""


def error_data(status: NtStatus, *, of_tgs: bool = False) -> bytes | None:
    """KERB-ERROR-DATA with KERB-EXT-ERROR; None for success. of_tgs: a TGS exchange sets one more flag."""
    if status == NtStatus.STATUS_SUCCESS:
        return None
    value = KerbExtError(int(status), flags=_TGS_FLAGS if of_tgs else _AS_FLAGS).pack()
    return KerbErrorData(int(KerbErrorDataType.KERB_ERR_TYPE_EXTENDED), value).pack()


def krb_error(
    code: KrbErrorCode,
    now: FileTime,
    realm: str,
    sname: PrincipalName | None,
    *,
    e_data: bytes | None = None,
    crealm: str | None = None,
    cname: PrincipalName | None = None,
) -> bytes:
    """A packed KRB-ERROR.

    sname: of the request, None where it is not known: clients refuse an empty one, so it is krbtgt then.
    crealm: only for KDC_ERR_WRONG_REALM, where it names the realm to ask. cname: only where it is hidden.
    """
    return KrbError(
        stime=whole_seconds(now),
        susec=micros(now),
        error_code=int(code),
        crealm=crealm,
        cname=cname,
        realm=realm,
        sname=sname or PrincipalName(_SERVICE, ("krbtgt", realm)),
        e_data=e_data,
    ).pack()


def refusal_bytes(
    refusal: KdcRefusal, now: FileTime, realm: str, sname: PrincipalName | None, *, of_tgs: bool = False
) -> bytes:
    """The KRB-ERROR of a refused request."""
    if refusal.padata is not None:
        e_data: bytes | None = MethodData(refusal.padata).pack()
    else:
        e_data = refusal.e_data
        if e_data is None:
            e_data = error_data(refusal.status, of_tgs=of_tgs)
    crealm = refusal.crealm
    if crealm is None and refusal.code == KrbErrorCode.KDC_ERR_WRONG_REALM:
        crealm = realm
    return krb_error(refusal.code, now, realm, sname, e_data=e_data, crealm=crealm)
