"""NTLM from both sides, and what a client does not agree to."""

from dataclasses import replace

import pytest

from addc.auth.gss import AuthError
from addc.auth.ntlm import NtlmExchange, Proof, Proven, ServerNames
from addc.auth.ntlm_initiator import NtlmIdentity, NtlmInitiator
from addc.auth.ntlm_logon import passed_through
from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.codec import ntlm
from addc.codec.ntlm import AvId, NegotiateFlags
from addc.security.crypto.hashes import equal
from addc.security.krb_keys import nt_hash
from addc.security.ntlm_keys import nt_proof, ntowf_v2, session_base_key
from tests.kit.corp_forest import NOW, CountingRng

NAMES = ServerNames("CORP", "DC1", "corp.example.com", "dc1.corp.example.com", "corp.example.com")
HASH = nt_hash("Sun.Flow3r")
CHANNEL = b"tls-server-end-point:" + bytes(32)
SEEN: list[Proof] = []


def judge(proof: Proof) -> Proven:
    key = ntowf_v2(HASH, proof.user, proof.domain)
    made = nt_proof(key, proof.server_challenge, proof.response.blob)
    SEEN.append(proof)
    if not equal(made, proof.response.proof):
        raise AuthError("wrong")
    return Proven(Secret(session_base_key(key, made)))


def sides(bindings: bytes | None = None, nt: bytes = HASH) -> tuple[NtlmInitiator, NtlmExchange]:
    identity = NtlmIdentity("DC2$", "CORP", "DC2", Secret(nt))
    client = NtlmInitiator(identity, "ldap/dc1.corp.example.com", CountingRng(b"client"), NOW, bindings)
    return client, NtlmExchange(NAMES, judge, CountingRng(b"server"), NOW, CHANNEL)


def test_both_sides_agree_and_protect_messages() -> None:
    client, server = sides(CHANNEL)
    assert server.step(client.step(server.step(client.step()))) == b""
    assert client.complete and server.complete and server.bound_to_channel
    assert client.session_key() == server.session_key() and client.confidential
    assert SEEN[-1].response.pairs[AvId.TARGET_NAME] == "ldap/dc1.corp.example.com".encode("utf-16-le")
    assert SEEN[-1].response.pairs[AvId.FLAGS][0] & ntlm.AV_MIC_PRESENT
    for sender, receiver in ((client, server), (server, client), (client, server)):
        data, token = sender.protect(b"head", b"stub", b"tail", seal=True)
        assert data != b"stub" and receiver.unprotect(b"head", data, b"tail", token, seal=True) == b"stub"
    data, token = client.protect(b"head", b"stub", b"tail", seal=False)
    with pytest.raises(AuthError):
        server.unprotect(b"HEAD", data, b"tail", token, seal=False)


def test_a_wrong_password_or_another_channel_is_refused() -> None:
    for client, server in (sides(nt=nt_hash("other")), sides(b"another")):
        with pytest.raises(AuthError):
            server.step(client.step(server.step(client.step())))


@pytest.mark.parametrize(
    "less",
    [
        NegotiateFlags.EXTENDED_SESSIONSECURITY,
        NegotiateFlags.SEAL,
        NegotiateFlags.N128,
        NegotiateFlags.TARGET_INFO,
    ],
)
def test_a_server_that_agrees_to_less_is_left(less: NegotiateFlags) -> None:
    client, server = sides()
    challenge = ntlm.Challenge.unpack(server.step(client.step()))
    with pytest.raises(AuthError):
        client.step(replace(challenge, flags=challenge.flags & ~less).pack())


@pytest.mark.parametrize("token", [b"", b"NTLMSSP\0", b"NTLMSSP\0\2\0\0\0", b"x" * 100])
def test_what_is_no_challenge_is_refused(token: bytes) -> None:
    client, _ = sides()
    client.step()
    with pytest.raises(AuthError):
        client.step(token)


def test_what_a_member_passes_on_is_judged_alike() -> None:
    """[MS-APDS] 3.1.5.1; responses of version 1 are not taken."""
    client, server = sides()
    challenge = server.step(client.step())
    message = ntlm.Authenticate.unpack(client.step(challenge))
    nonce = ntlm.Challenge.unpack(challenge).server_challenge
    proof = passed_through(message.user, message.domain, message.workstation, nonce, message.nt_response)
    assert judge(proof).base_key.reveal()
    with pytest.raises(DecodeError):
        passed_through("DC2$", "CORP", "DC2", nonce, bytes(24))
