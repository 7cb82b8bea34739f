"""Data that only a group may open, as DPAPI-NG wraps it: CMS EnvelopedData with one key of the group's.

Deviation: [MS-DNSP] 3.1.7.1 has the content's key encrypted by AES-CBC; Windows wraps it (RFC 3394), and so
does this.
Spec: [MS-DNSP] 2.2.11.2.4, 2.2.11.2.5, 3.1.7.1; RFC 5652 6.1, 6.2.3; RFC 5084 3.2.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Self

from addc.base.errors import DecodeError
from addc.codec import ber
from addc.codec.cms import ID_DATA, ID_ENVELOPED_DATA, AlgorithmIdentifier, ContentInfo, EncryptedContentInfo

AES256_WRAP: Final = "2.16.840.1.101.3.4.1.45"
AES256_GCM: Final = "2.16.840.1.101.3.4.1.46"
_PROTECTION_INFO: Final = "1.3.6.1.4.1.311.74.1"
_SID_PROTECTED: Final = "1.3.6.1.4.1.311.74.1.1"
_SID: Final = "SID"
_TAG_SIZE: Final = 16


@ber.sequence()
class _Pair(ber.Value):
    name: Annotated[str, ber.UTF8_STRING]
    value: Annotated[str, ber.UTF8_STRING]


@ber.sequence()
class _Protector(ber.Value):
    kind: Annotated[str, ber.OID]
    whom: Annotated[
        tuple[tuple[_Pair, ...], ...],
        ber.SequenceOf(ber.SequenceOf(ber.Nested(_Pair), low=1, limit=1), low=1, limit=1),
    ]


@ber.sequence()
class _Other(ber.Value):
    """OtherKeyAttribute with a ProtectionKeyAttribute."""

    kind: Annotated[str, ber.OID]
    protector: _Protector


@ber.sequence()
class _KeyId(ber.Value):
    key_identifier: bytes
    other: _Other


@ber.sequence(context=2)
class _KekRecipient(ber.Value):
    version: Annotated[int, ber.Integer(must_be=4)]
    kek_id: _KeyId
    key_encryption_algorithm: AlgorithmIdentifier
    encrypted_key: bytes


@ber.sequence()
class _GcmParameters(ber.Value):
    nonce: bytes
    tag_size: Annotated[int, ber.Integer(must_be=_TAG_SIZE)]


@ber.sequence()
class _Enveloped(ber.Value):
    version: Annotated[int, ber.Integer(must_be=2)]
    recipients: Annotated[tuple[_KekRecipient, ...], ber.set_of(ber.Nested(_KekRecipient), low=1, limit=1)]
    content: EncryptedContentInfo


@dataclass(frozen=True, slots=True)
class ProtectedData:
    """What stands in the open of protected data.

    key_identifier: a packed gkdi_blobs.KeyIdentifier. sid: text of the group that may open it.
    wrapped_key: of the content, 40 octets. sealed: the content and its tag of 16 octets.
    """

    key_identifier: bytes
    sid: str
    wrapped_key: bytes
    nonce: bytes
    sealed: bytes

    def pack(self) -> bytes:
        """The ContentInfo."""
        whom = ((_Pair(_SID, self.sid),),)
        other = _Other(_PROTECTION_INFO, _Protector(_SID_PROTECTED, whom))
        wrap = AlgorithmIdentifier(AES256_WRAP)
        recipient = _KekRecipient(4, _KeyId(self.key_identifier, other), wrap, self.wrapped_key)
        content = EncryptedContentInfo(
            content_type=ID_DATA,
            content_encryption_algorithm=AlgorithmIdentifier(
                AES256_GCM, _GcmParameters(self.nonce, _TAG_SIZE).pack()
            ),
            encrypted_content=self.sealed,
        )
        return ContentInfo(ID_ENVELOPED_DATA, _Enveloped(2, (recipient,), content).pack()).pack()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The inverse of `pack`. Raises DecodeError, also for other algorithms and protectors."""
        path = "ProtectedData"
        info = ContentInfo.unpack(data)
        if info.content_type != ID_ENVELOPED_DATA:
            raise DecodeError("no enveloped data", 0, path)
        enveloped = _Enveloped.unpack(info.content)
        recipient, content = enveloped.recipients[0], enveloped.content
        other = recipient.kek_id.other
        pair = other.protector.whom[0][0]
        if (other.kind, other.protector.kind, pair.name) != (_PROTECTION_INFO, _SID_PROTECTED, _SID):
            raise DecodeError("not protected by a SID", 0, path)
        algorithm = content.content_encryption_algorithm
        if recipient.key_encryption_algorithm.algorithm != AES256_WRAP or algorithm.algorithm != AES256_GCM:
            raise DecodeError("another algorithm", 0, path)
        parameters = _GcmParameters.unpack(algorithm.parameters or b"")
        return cls(
            recipient.kek_id.key_identifier,
            pair.value,
            recipient.encrypted_key,
            parameters.nonce,
            content.encrypted_content or b"",
        )
