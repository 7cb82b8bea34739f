"""What either side of NTLM does once it is done: signing, sealing, the session's key.

Spec: [MS-NLMP] 3.4; RFC 4121 4.1.1.2 (channel bindings).
"""

from addc.auth.gss import AuthError
from addc.codec.ntlm import NegotiateFlags
from addc.security.crypto.hashes import insecure_md5
from addc.security.ntlm_keys import SIGNATURE_SIZE, Direction


class NtlmSession:
    """Keys and counters of a session; `_begin` makes them at the end of the exchange."""

    __slots__ = ("_exported", "_flags", "_receives", "_sends", "complete")

    signs_headers = True
    """RPC's signatures cover the header whether or not that was agreed, as Windows' and Samba's NTLM do."""

    def __init__(self) -> None:
        self._flags = 0
        self._exported = b""
        self._sends: Direction | None = None
        self._receives: Direction | None = None
        self.complete = False

    def _begin(self, exported: bytes, flags: int, *, server: bool) -> None:
        """exported: ExportedSessionKey. server: whether this is the server's side."""
        own, other = ("server", "client") if server else ("client", "server")
        self._exported, self._flags = exported, flags
        self._sends = Direction(exported, own, flags)
        self._receives = Direction(exported, other, flags)
        self.complete = True

    @property
    def confidential(self) -> bool:
        """Sealing was agreed."""
        return bool(self._flags & NegotiateFlags.SEAL)

    @property
    def integrity(self) -> bool:
        """Signing was agreed, by itself or with sealing."""
        return bool(self._flags & (NegotiateFlags.SIGN | NegotiateFlags.SEAL))

    def session_key(self) -> bytes:
        """ExportedSessionKey."""
        return self._exported

    def sign(self, data: bytes) -> bytes:
        """A signature of the next message, such as a mechListMIC."""
        assert self._sends is not None
        return self._sends.sign(data)

    def verify(self, data: bytes, signature: bytes) -> bool:
        assert self._receives is not None
        return self._receives.verify(data, signature)

    def restart(self) -> None:
        """What follows a mechListMIC is sealed from the start, but numbered on. Spec: [MS-SPNG] 3.3.5.1."""
        assert self._sends is not None and self._receives is not None
        self._sends.restart()
        self._receives.restart()

    def wrap(self, data: bytes, *, seal: bool) -> bytes:
        """Signature, then the text, sealed or not."""
        assert self._sends is not None
        text = self._sends.cipher(data) if seal else data
        return self._sends.sign(data) + text

    def unwrap(self, data: bytes) -> tuple[bytes, bool]:
        """The plain bytes, and whether they came sealed. Raises AuthError when they were altered."""
        assert self._receives is not None
        signature, text = data[:SIGNATURE_SIZE], data[SIGNATURE_SIZE:]
        plain = self._receives.cipher(text) if self.confidential else text
        if not self._receives.verify(plain, signature):
            raise AuthError("NTLM: a message was changed on its way")
        return plain, self.confidential

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]:
        """`data` as it travels, and the signature of all three parts. Spec: 3.4.6."""
        assert self._sends is not None
        travels = self._sends.cipher(data) if seal else data
        return travels, self._sends.sign(before + data + after)

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes:
        """The plain `data` of a message that the peer protected so. Raises AuthError if it was altered."""
        assert self._receives is not None
        plain = self._receives.cipher(data) if seal else data
        if not self._receives.verify(before + plain + after, token):
            raise AuthError("NTLM: a message was changed on its way")
        return plain

    def signature_size(self, *, seal: bool) -> int:
        """How long the signature is that `protect` makes."""
        del seal
        return SIGNATURE_SIZE

    def size_limit(self, size: int, *, seal: bool) -> int:
        """How many plain bytes fit into a wrapped message of `size` bytes."""
        del seal
        return size - SIGNATURE_SIZE


def bindings_hash(application_data: bytes) -> bytes:
    """MD5 of a gss_channel_bindings_struct without addresses. Spec: RFC 4121 4.1.1.2."""
    return insecure_md5(bytes(16) + len(application_data).to_bytes(4, "little") + application_data)
