"""Which mechanism a client's first token asks for: Kerberos, or NTLM in SPNEGO or bare.

Kerberos tokens, in SPNEGO or not, go to MIT's library as they came (auth/gss.py). SPNEGO around NTLM and
around bare messages of Kerberos is spoken here; tokens of NTLM alone are taken too, as Windows does.

Spec: RFC 4178 4.2, 5; [MS-SPNG] 3.2.5, 3.3.5.
"""

from collections.abc import Callable
from typing import Final

from addc.auth.gss import AuthError, GssExchange
from addc.auth.ntlm import NtlmExchange
from addc.base.errors import DecodeError
from addc.codec import spnego
from addc.codec.ber_wire import element, encode_oid
from addc.codec.krb5 import ApReq
from addc.codec.krb5_numbers import ApOptions
from addc.codec.ntlm import SIGNATURE as NTLM_SIGNATURE
from addc.codec.spnego import NegTokenInit, NegTokenResp, NextToken

_KERBEROS: Final = (spnego.KERBEROS, spnego.MS_KERBEROS)
_KRB_AP_REQ: Final = b"\x6e"
_TOK_ID_AP_REQ: Final = b"\x01\x00"


class SpnegoExchange:
    """SPNEGO around one exchange of NTLM, or of Kerberos where the client left the GSS-API's frame out.

    Such tokens come from RPC clients, which leave it out by design, and from clients that make their own
    messages (impacket's); Windows takes both.
    """

    __slots__ = ("_first", "_list", "_mechanism", "complete", "inner")

    def __init__(self, inner: NtlmExchange | GssExchange, mechanism: str) -> None:
        """mechanism: by the OID that the client offered it with."""
        self.inner = inner
        self.complete = False
        self._mechanism = mechanism
        self._list = b""
        self._first = True

    def step(self, token: bytes) -> bytes:
        """Our answer to the client's token. Raises AuthError."""
        try:
            if not self._list:
                offer = spnego.first_token(token)
                if offer is None:
                    raise AuthError("SPNEGO: no offer")
                return self._begin(offer)
            return self._go_on(NextToken.unpack(token).resp)
        except DecodeError as error:
            raise AuthError(f"SPNEGO: {error}") from None

    def _begin(self, offer: NegTokenInit) -> bytes:
        self._list = offer.mech_types.pack()
        self._first = offer.mech_types.mechanisms[0] == self._mechanism
        if not self._first or offer.mech_token is None:  # the token is of another mechanism: begin anew
            state = spnego.ACCEPT_INCOMPLETE if self._first else spnego.REQUEST_MIC
            return _answer(NegTokenResp(neg_state=state, supported_mech=self._mechanism))
        token = offer.mech_token
        answer = self.inner.step(_as_the_library_wants_it(token))
        self.complete = self.inner.complete
        return _answer(
            NegTokenResp(
                neg_state=spnego.ACCEPT_COMPLETED if self.complete else spnego.ACCEPT_INCOMPLETE,
                supported_mech=self._mechanism,
                response_token=answer or None,
            )
        )

    def _go_on(self, came: NegTokenResp) -> bytes:
        if came.response_token is None:
            raise AuthError("SPNEGO: a token without a token")
        answer = self.inner.step(came.response_token)
        if not self.inner.complete:
            return _answer(NegTokenResp(neg_state=spnego.ACCEPT_INCOMPLETE, response_token=answer))
        mic = self._check_mechanisms(came.mech_list_mic)
        self.complete = True
        return _answer(
            NegTokenResp(neg_state=spnego.ACCEPT_COMPLETED, response_token=answer or None, mech_list_mic=mic)
        )

    def _check_mechanisms(self, mic: bytes | None) -> bytes | None:
        """That nobody took better mechanisms off the list; ours for the client. Spec: RFC 4178 5."""
        if mic is None:
            if not self._first:
                raise AuthError("SPNEGO: the list of mechanisms is not protected")
            return None
        if not self.inner.verify(self._list, mic):
            raise AuthError("SPNEGO: the list of mechanisms was changed on its way")
        ours = self.inner.sign(self._list)
        if isinstance(self.inner, NtlmExchange):
            self.inner.restart()
        return ours

    @property
    def confidential(self) -> bool:
        return self.inner.confidential

    @property
    def integrity(self) -> bool:
        return self.inner.integrity

    @property
    def bound_to_channel(self) -> bool:
        return self.inner.bound_to_channel

    @property
    def signs_headers(self) -> bool:
        return self.inner.signs_headers

    def session_key(self) -> bytes:
        return self.inner.session_key()

    def wrap(self, data: bytes, *, seal: bool) -> bytes:
        return self.inner.wrap(data, seal=seal)

    def unwrap(self, data: bytes) -> tuple[bytes, bool]:
        return self.inner.unwrap(data)

    def size_limit(self, size: int, *, seal: bool) -> int:
        return self.inner.size_limit(size, seal=seal)

    def sign(self, data: bytes) -> bytes:
        return self.inner.sign(data)

    def verify(self, data: bytes, signature: bytes) -> bool:
        return self.inner.verify(data, signature)

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]:
        return self.inner.protect(before, data, after, seal=seal)

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes:
        return self.inner.unprotect(before, data, after, token, seal=seal)

    def signature_size(self, *, seal: bool) -> int:
        return self.inner.signature_size(seal=seal)


Exchange = GssExchange | NtlmExchange | SpnegoExchange
"""What a context has to do with; all have the shape of GssExchange."""


def _as_the_library_wants_it(token: bytes) -> bytes:
    """A bare AP-REQ in the GSS-API's frame, unless RPC's three messages begin with it.

    MIT's library takes bare ones for these alone, and framed ones for all else; which it is, only the sealed
    part says. Three messages always want the server to prove itself; who makes its own messages does not.
    Raises DecodeError.
    """
    if not token.startswith(_KRB_AP_REQ) or ApReq.unpack(token).ap_options & ApOptions.MUTUAL_REQUIRED:
        return token
    mechanism = element(0x06, encode_oid(spnego.KERBEROS))
    return element(0x60, mechanism + _TOK_ID_AP_REQ + token)


def _answer(resp: NegTokenResp) -> bytes:
    return NextToken(resp).pack()


def is_offer(token: bytes) -> bool:
    """Whether a context's first token is SPNEGO's."""
    try:
        return spnego.first_token(token) is not None
    except DecodeError:
        return False


def chosen(
    token: bytes, kerberos: Callable[[], GssExchange], ntlm: Callable[[], NtlmExchange] | None
) -> Exchange:
    """The exchange that a first token is for. ntlm: None where NTLM is not allowed.

    Raises AuthError where the client offers nothing that is spoken here.
    """
    if token.startswith(NTLM_SIGNATURE):
        if ntlm is None:
            raise AuthError("NTLM is not allowed here")
        return ntlm()
    try:
        offer = spnego.first_token(token)
    except DecodeError as error:
        raise AuthError(f"SPNEGO: {error}") from None
    if offer is None:
        return kerberos()
    for mechanism in offer.mech_types.mechanisms:
        if mechanism in _KERBEROS:
            first = offer.mech_token if mechanism == offer.mech_types.mechanisms[0] else None
            is_bare = first is not None and first.startswith(_KRB_AP_REQ)
            return SpnegoExchange(kerberos(), mechanism) if is_bare else kerberos()
        if mechanism == spnego.NTLMSSP and ntlm is not None:
            return SpnegoExchange(ntlm(), mechanism)
    raise AuthError("SPNEGO: the client offers no mechanism that is spoken here")
