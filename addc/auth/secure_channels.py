"""The secure channels of computers: what they asked for, what was agreed, and the chain of credentials.

One table for the process: a challenge may come over one connection and its answer over another, and what
protects a connection asks here for the key. A challenge is good for one answer. Both tables are bounded:
strangers may ask for challenges under any name.

Spec: [MS-NRPC] 3.1.4.1, 3.1.4.5, 3.5.1 (ChallengeTable, ClientSessionInfo).
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.security import schannel
from addc.security.crypto.hashes import equal

CHALLENGES_MAX: Final = 16_384
CHANNELS_MAX: Final = 262_144


class ChannelType(IntEnum):
    """NETLOGON_SECURE_CHANNEL_TYPE, [MS-NRPC] 2.2.1.3.13."""

    NULL = 0
    MSV_AP = 1
    WORKSTATION = 2
    TRUSTED_DNS_DOMAIN = 3
    TRUSTED_DOMAIN = 4
    UAS_SERVER = 5
    SERVER = 6
    CDC_SERVER = 7


TRUST_TYPES: Final = frozenset((ChannelType.TRUSTED_DNS_DOMAIN, ChannelType.TRUSTED_DOMAIN))


class NegotiateFlags(IntFlag):
    """Netlogon Negotiable Options, [MS-NRPC] 3.1.4.2, by the letters there."""

    ACCOUNT_LOCKOUT = 0x1
    """A."""
    PERSISTENT_BDC = 0x2
    RC4 = 0x4
    PROMOTION_COUNT = 0x8
    BDC_CHANGELOG = 0x10
    FULL_SYNC_RESTART = 0x20
    MULTIPLE_SIDS = 0x40
    """G: validation levels other than 2."""
    REDO = 0x80
    REFUSE_PASSWORD_CHANGE = 0x100
    SEND_TO_SAM = 0x200
    GENERIC_PASS_THROUGH = 0x400
    CONCURRENT_RPC = 0x800
    AVOID_ACCOUNT_REPLICATION = 0x1000
    AVOID_LSA_REPLICATION = 0x2000
    STRONG_KEYS = 0x4000
    """O."""
    TRANSITIVE_TRUSTS = 0x8000
    DNS_DOMAIN_TRUSTS = 0x1_0000
    PASSWORD_SET_2 = 0x2_0000
    GET_DOMAIN_INFO = 0x4_0000
    CROSS_FOREST_TRUSTS = 0x8_0000
    NEUTRALIZE_NT4_EMULATION = 0x10_0000
    RODC_PASS_THROUGH = 0x20_0000
    AES = 0x100_0000
    """W."""
    AUTHENTICATED_RPC_LSASS = 0x2000_0000
    SECURE_RPC = 0x4000_0000
    """Y."""
    KERBEROS = 0x8000_0000
    """Z."""


SERVER_FLAGS: Final = (
    NegotiateFlags.ACCOUNT_LOCKOUT
    | NegotiateFlags.PERSISTENT_BDC
    | NegotiateFlags.RC4
    | NegotiateFlags.PROMOTION_COUNT
    | NegotiateFlags.BDC_CHANGELOG
    | NegotiateFlags.FULL_SYNC_RESTART
    | NegotiateFlags.MULTIPLE_SIDS
    | NegotiateFlags.REDO
    | NegotiateFlags.REFUSE_PASSWORD_CHANGE
    | NegotiateFlags.SEND_TO_SAM
    | NegotiateFlags.GENERIC_PASS_THROUGH
    | NegotiateFlags.CONCURRENT_RPC
    | NegotiateFlags.AVOID_ACCOUNT_REPLICATION
    | NegotiateFlags.AVOID_LSA_REPLICATION
    | NegotiateFlags.STRONG_KEYS
    | NegotiateFlags.TRANSITIVE_TRUSTS
    | NegotiateFlags.DNS_DOMAIN_TRUSTS
    | NegotiateFlags.PASSWORD_SET_2
    | NegotiateFlags.GET_DOMAIN_INFO
    | NegotiateFlags.CROSS_FOREST_TRUSTS
    | NegotiateFlags.NEUTRALIZE_NT4_EMULATION
    | NegotiateFlags.RODC_PASS_THROUGH
    | NegotiateFlags.AES
    | NegotiateFlags.AUTHENTICATED_RPC_LSASS
    | NegotiateFlags.SECURE_RPC
)
"""What Windows' DCs say of themselves. That RC4 and strong keys are among it changes nothing: where AES is
agreed neither is used, and where it is not nothing is agreed. KERBEROS is added where that was the proof."""


class Challenges(NamedTuple):
    """The nonces of both sides."""

    client: bytes
    server: bytes


@dataclass(slots=True)
class Channel:
    """An agreed channel. computer: as the client says it. account, sid: whose secret it proved to know.

    key: empty where Kerberos was the proof. flags: agreed. requested: as the client sent them.
    stored: ServerStoredCredential, which each call moves on. trust: the trusted domain object of a trust's.
    """

    computer: str
    account_name: str
    account: Dnt
    sid: Sid
    kind: ChannelType
    key: Secret
    flags: int
    requested: int
    stored: bytes
    trust: Dnt | None = None

    @property
    def by_kerberos(self) -> bool:
        """Whether Kerberos protects it instead of Netlogon."""
        return not self.key.reveal()

    def step(self, credential: bytes, timestamp: int) -> bytes | None:
        """The return authenticator's credential for a call's authenticator; None where that is wrong.

        A wrong one leaves the chain as it is. Spec: 3.1.4.5, 3.1.4.6; 3.5.4.4.3 (Kerberos: not looked at).
        """
        if self.by_kerberos:
            return bytes(schannel.CREDENTIAL_SIZE)
        key = self.key.reveal()
        stored = schannel.advanced(self.stored, timestamp)
        wanted = schannel.credential(stored, key)
        if not equal(wanted, credential) or schannel.is_predictable(credential):
            return None
        self.stored = schannel.advanced(stored, 1)
        return schannel.credential(self.stored, key)


def _fold(computer: str) -> str:
    return computer.lstrip("\\").upper()


def same_computer(one: str, other: str) -> bool:
    """Whether two names are one computer's."""
    return _fold(one) == _fold(other)


class SecureChannels:
    """Challenges that wait for their answer, and the channels that were agreed; for one event loop."""

    def __init__(self, *, challenges_max: int = CHALLENGES_MAX, channels_max: int = CHANNELS_MAX) -> None:
        self._challenges: OrderedDict[tuple[str, str], Challenges] = OrderedDict()
        self._latest: dict[str, str] = {}
        self._channels: OrderedDict[str, Channel] = OrderedDict()
        self._challenges_max = challenges_max
        self._channels_max = channels_max
        self.logon_attempts = 0
        """How many logons were judged here, for NETLOGON_INFO_3."""

    def __len__(self) -> int:
        return len(self._channels)

    def challenge(self, computer: str, peer: str, challenges: Challenges) -> None:
        """Keep a computer's challenges until they are answered.

        peer: the client's address: a stranger's challenge under the same name does not take its place.
        """
        name = _fold(computer)
        key = (name, peer)
        self._challenges.pop(key, None)
        self._challenges[key] = challenges
        self._latest[name] = peer
        while len(self._challenges) > self._challenges_max:
            (old, its_peer), _ = self._challenges.popitem(last=False)
            if self._latest.get(old) == its_peer:
                del self._latest[old]

    def answered(self, computer: str, peer: str) -> Challenges | None:
        """The challenges of a computer, which no second answer will find; None where there are none.

        Those that came from the same address, else the newest of that name.
        """
        name = _fold(computer)
        found = self._challenges.pop((name, peer), None)
        if found is not None:
            if self._latest.get(name) == peer:
                del self._latest[name]
            return found
        latest = self._latest.pop(name, None)
        return None if latest is None else self._challenges.pop((name, latest), None)

    def open(self, channel: Channel) -> bool:
        """A new channel takes the place of the computer's former one; whether it may.

        Clients say what their computer is called. Another account's channel gives way only to the account of
        that name, so that no member can end the channels of the others.
        """
        name = _fold(channel.computer)
        former = self._channels.get(name)
        if former is not None and former.sid != channel.sid and _fold(channel.account_name) != f"{name}$":
            return False
        self._channels.pop(name, None)
        self._channels[name] = channel
        while len(self._channels) > self._channels_max:
            self._channels.popitem(last=False)
        return True

    def find(self, computer: str) -> Channel | None:
        """The channel of a computer."""
        return self._channels.get(_fold(computer))

    def forget(self, computer: str) -> None:
        """End a computer's channel."""
        self._channels.pop(_fold(computer), None)
