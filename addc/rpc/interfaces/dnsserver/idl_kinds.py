"""What the structures of DnsServer have in common: text and addresses.

Spec: [MS-DNSP] 2.2.1.2.2, 2.2.1.2.3, 2.2.1.2.4, 2.2.3.2.
"""

from typing import Annotated, ClassVar, Final

from addc.codec.ndr import (
    STRING,
    U8,
    U16,
    U32,
    WSTRING,
    Conformant,
    Const,
    CountOf,
    FixedBytes,
    Ndr,
    Range,
    Unique,
    structure,
)

ADDRESSES_MAX: Final = 4096
STRINGS_MAX: Final = 10_000
TEXT: Final = Unique(STRING)
WIDE: Final = Unique(WSTRING)


@structure
class Ip4Array(Ndr):
    """IP4_ARRAY, [MS-DNSP] 2.2.3.2.1; each address as its four octets."""

    count: ClassVar = CountOf("addresses")
    addresses: Annotated[tuple[bytes, ...], Conformant(FixedBytes(4, 4), ADDRESSES_MAX)] = ()


@structure
class DnsAddr(Ndr):
    """DNS_ADDR, [MS-DNSP] 2.2.3.2.2: a socket address of Windows, and eight words for the user.

    family: 2 or 23. port: in network order. The rest of an address's 32 octets follows.
    """

    family: Annotated[int, U16] = 0
    port: Annotated[bytes, FixedBytes(2)] = bytes(2)
    body: Annotated[bytes, FixedBytes(28)] = bytes(28)
    length: Annotated[int, U32] = 0
    user: Annotated[bytes, FixedBytes(28)] = bytes(28)


@structure
class DnsAddrArray(Ndr):
    """DNS_ADDR_ARRAY, [MS-DNSP] 2.2.3.2.3."""

    max_count: Annotated[int, U32] = 0
    count: ClassVar = CountOf("addresses")
    tag: Annotated[int, U32] = 0
    family: Annotated[int, U16] = 0
    word_reserved: ClassVar = Const(U16)
    flags: Annotated[int, U32] = 0
    match_flag: Annotated[int, U32] = 0
    reserved1: ClassVar = Const(U32)
    reserved2: ClassVar = Const(U32)
    addresses: Annotated[tuple[DnsAddr, ...], Conformant(DnsAddr, ADDRESSES_MAX)] = ()


@structure
class RpcBuffer(Ndr):
    """DNS_RPC_BUFFER, [MS-DNSP] 2.2.1.2.2."""

    length: ClassVar = CountOf("data")
    data: Annotated[bytes, Conformant(U8)] = b""


@structure
class Utf8StringList(Ndr):
    """DNS_RPC_UTF8_STRING_LIST, [MS-DNSP] 2.2.1.2.3."""

    count: ClassVar = CountOf("strings", Range(0, STRINGS_MAX))
    strings: Annotated[tuple[str | None, ...], Conformant(TEXT, STRINGS_MAX)] = ()


@structure
class UnicodeStringList(Ndr):
    """DNS_RPC_UNICODE_STRING_LIST, [MS-DNSP] 2.2.1.2.4."""

    count: ClassVar = CountOf("strings", Range(0, STRINGS_MAX))
    strings: Annotated[tuple[str | None, ...], Conformant(WIDE, STRINGS_MAX)] = ()


IP4: Final = Unique(Ip4Array)
ADDRS: Final = Unique(DnsAddrArray)
