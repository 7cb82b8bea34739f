"""Which mechanism a client's first token asks for: Kerberos, or NTLM in SPNEGO or bare.

Kerberos tokens, in SPNEGO or not, go to MIT's library as they came (auth/gss.py). SPNEGO around NTLM is
spoken here, and tokens of NTLM alone are taken too, as Windows does.

Spec: RFC 4178 4.2, 5; [MS-SPNG] 3.2.5, 3.3.5.
"""

from collections.abc import Callable
from typing import Final

from addc.auth.gss import AuthError, GssExchange
from addc.auth.ntlm import NtlmExchange
from addc.base.errors import DecodeError
from addc.codec import spnego
from addc.codec.ntlm import SIGNATURE as NTLM_SIGNATURE
from addc.codec.spnego import NegTokenInit, NegTokenResp, NextToken

_KERBEROS: Final = (spnego.KERBEROS, spnego.MS_KERBEROS)


class SpnegoNtlm:
    """SPNEGO around one NTLM exchange."""

    __slots__ = ("_first", "_mechanisms", "complete", "ntlm")

    def __init__(self, ntlm: NtlmExchange) -> None:
        self.ntlm = ntlm
        self.complete = False
        self._mechanisms = b""
        self._first = True

    def step(self, token: bytes) -> bytes:
        """Our answer to the client's token. Raises AuthError."""
        try:
            if not self._mechanisms:
                offer = spnego.first_token(token)
                if offer is None:
                    raise AuthError("SPNEGO: no offer")
                return self._begin(offer)
            return self._go_on(NextToken.unpack(token).resp)
        except DecodeError as error:
            raise AuthError(f"SPNEGO: {error}") from None

    def _begin(self, offer: NegTokenInit) -> bytes:
        self._mechanisms = offer.mech_types.pack()
        self._first = offer.mech_types.mechanisms[0] == spnego.NTLMSSP
        if not self._first or offer.mech_token is None:  # the token is of another mechanism: begin anew
            state = spnego.ACCEPT_INCOMPLETE if self._first else spnego.REQUEST_MIC
            return _answer(NegTokenResp(neg_state=state, supported_mech=spnego.NTLMSSP))
        return _answer(
            NegTokenResp(
                neg_state=spnego.ACCEPT_INCOMPLETE,
                supported_mech=spnego.NTLMSSP,
                response_token=self.ntlm.step(offer.mech_token),
            )
        )

    def _go_on(self, came: NegTokenResp) -> bytes:
        if came.response_token is None:
            raise AuthError("SPNEGO: a token without a token")
        answer = self.ntlm.step(came.response_token)
        if not self.ntlm.complete:
            return _answer(NegTokenResp(neg_state=spnego.ACCEPT_INCOMPLETE, response_token=answer))
        mic = self._check_mechanisms(came.mech_list_mic)
        self.complete = True
        return _answer(NegTokenResp(neg_state=spnego.ACCEPT_COMPLETED, mech_list_mic=mic))

    def _check_mechanisms(self, mic: bytes | None) -> bytes | None:
        """That nobody took better mechanisms off the list; ours for the client. Spec: RFC 4178 5."""
        if mic is None:
            if not self._first:
                raise AuthError("SPNEGO: the list of mechanisms is not protected")
            return None
        if not self.ntlm.verify(self._mechanisms, mic):
            raise AuthError("SPNEGO: the list of mechanisms was changed on its way")
        ours = self.ntlm.sign(self._mechanisms)
        self.ntlm.restart()
        return ours

    @property
    def confidential(self) -> bool:
        return self.ntlm.confidential

    @property
    def integrity(self) -> bool:
        return self.ntlm.integrity

    @property
    def bound_to_channel(self) -> bool:
        return self.ntlm.bound_to_channel

    def wrap(self, data: bytes, *, seal: bool) -> bytes:
        return self.ntlm.wrap(data, seal=seal)

    def unwrap(self, data: bytes) -> tuple[bytes, bool]:
        return self.ntlm.unwrap(data)

    def size_limit(self, size: int, *, seal: bool) -> int:
        return self.ntlm.size_limit(size, seal=seal)


Exchange = GssExchange | NtlmExchange | SpnegoNtlm
"""What a bind has to do with; all have the shape of GssExchange."""


def _answer(resp: NegTokenResp) -> bytes:
    return NextToken(resp).pack()


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
            return kerberos()
        if mechanism == spnego.NTLMSSP and ntlm is not None:
            return SpnegoNtlm(ntlm())
    raise AuthError("SPNEGO: the client offers no mechanism that is spoken here")
