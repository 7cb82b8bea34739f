"""The roots of the error families: whose fault it was decides who may see what.

DecodeError          the peer's bytes; the engine answers with the protocol's own violation.
LocalProtocolError   our bug: trace it, close that connection, keep serving.
DsError              the directory says no: expected, mapped to each protocol by codes/faces.py.
NtError              an RPC or SMB service says no with an NTSTATUS of its own, no directory rule involved.
StoreError           the database failed; `retryable` tells whether the same work may be tried again.
"""


class AddcError(Exception):
    """Root of everything that addc raises on purpose."""


class DecodeError(AddcError):
    """Bytes from outside are not what the format allows.

    why: what was expected. offset: bytes from the start of the buffer, -1 where unknown.
    path: the field being read, such as "LDAPMessage.messageID".
    """

    def __init__(self, why: str, offset: int = -1, path: str = "") -> None:
        super().__init__(why, offset, path)
        self.why = why
        self.offset = offset
        self.path = path

    def __str__(self) -> str:
        where = f" at byte {self.offset}" if self.offset >= 0 else ""
        field = f" in {self.path}" if self.path else ""
        return f"{self.why}{where}{field}"


class LocalProtocolError(AddcError):
    """Our own code asked an engine for a move that its state forbids."""


class DsError(AddcError):
    """The directory refuses an operation.

    code: a Win32 error (codes/win32.py). detail: human text, free of secrets.
    ldap_result: only where [MS-ADTS] pairs this code with another result than codes/faces.py does.
    matched_dn: the nearest existing ancestor, for ERROR_DS_OBJ_NOT_FOUND.
    referrals: LDAP URLs, for ERROR_DS_REFERRAL.
    attribute: lDAPDisplayName at fault, for AtrErr texts.
    """

    def __init__(
        self,
        code: int,
        detail: str = "",
        *,
        ldap_result: int | None = None,
        matched_dn: str = "",
        referrals: tuple[str, ...] = (),
        attribute: str = "",
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.ldap_result = ldap_result
        self.matched_dn = matched_dn
        self.referrals = referrals
        self.attribute = attribute


class NtError(AddcError):
    """An RPC or SMB service refuses with an NTSTATUS. detail: human text, free of secrets."""

    def __init__(self, status: int, detail: str = "") -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


class StoreError(AddcError):
    """The database could not do its work."""

    def __init__(self, detail: str, *, retryable: bool = False) -> None:
        super().__init__(detail)
        self.retryable = retryable


class UserError(AddcError):
    """A person asked for what cannot be done: cause, fact checked, next step; shown without a traceback."""
