"""Who reads which key over RPC: administrators and backup operators all of it, users a few keys.

Windows has the descriptor on the key SecurePipeServers\\winreg, and the keys that everybody reads in its
subkeys AllowedExactPaths and AllowedPaths. Nobody writes: what stands here follows from the directory.

Spec: [MS-RRP] 2.2.3 (REGSAM), 3.1.1.10, 3.1.5.
"""

from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.security import sddl
from addc.security.access_check import access_check
from addc.security.access_mask import GenericMapping
from addc.security.descriptor import SecurityDescriptor, SecurityInformation, parts
from addc.security.token import Token

KEY_QUERY_VALUE: Final = 0x1
KEY_ENUMERATE_SUB_KEYS: Final = 0x8
KEY_NOTIFY: Final = 0x10
READ_CONTROL: Final = 0x2_0000
KEY_READ: Final = READ_CONTROL | KEY_QUERY_VALUE | KEY_ENUMERATE_SUB_KEYS | KEY_NOTIFY
_KEY_WRITE: Final = 0x2_0006
_KEY_ALL: Final = 0xF_003F
_WOW64: Final = 0x300
"""KEY_WOW64_64KEY and KEY_WOW64_32KEY: which view of the registry, not a right."""
_MAPPING: Final = GenericMapping(KEY_READ, _KEY_WRITE, KEY_READ, _KEY_ALL)

WINREG_KEY: Final = sddl.parse("O:SYG:SYD:(A;CI;KR;;;SY)(A;CI;KR;;;BA)(A;;KR;;;BO)(A;;KR;;;LS)")
"""Who comes in at all; as the descriptor of every key, it is that of what can be read."""
OPEN_KEY: Final = sddl.parse("O:SYG:SYD:(A;CI;KR;;;SY)(A;CI;KR;;;BA)(A;;KR;;;BO)(A;;KR;;;LS)(A;;KR;;;AU)")

_EXACT: Final = frozenset(
    {
        "system\\currentcontrolset\\control\\productoptions",
        "system\\currentcontrolset\\control\\server applications",
        "software\\microsoft\\windows nt\\currentversion",
    }
)
_BELOW: Final = (
    "software\\microsoft\\windows nt\\currentversion\\perflib",
    "system\\currentcontrolset\\control\\print\\printers",
    "system\\currentcontrolset\\services\\eventlog",
)


_READABLE: Final = SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.DACL


def parts_of(sd: SecurityDescriptor, information: int) -> SecurityDescriptor:
    """Owner, group and DACL, as SECURITY_INFORMATION asks. Raises DsError for what is not to be read."""
    if information & ~_READABLE:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "more than owner, group and DACL")
    return parts(sd, information)


def is_open(path: str) -> bool:
    """Whether users read this key of HKLM."""
    path = path.lower()
    return path in _EXACT or any(path == one or path.startswith(one + "\\") for one in _BELOW)


def is_user(requester: Token) -> bool:
    """Whether the requester is somebody, so that open keys can be reached."""
    try:
        access_check(OPEN_KEY, requester, KEY_READ, mapping=_MAPPING)
    except DsError:
        return False
    return True


def grant(requester: Token, desired: int, *, is_open_key: bool) -> int:
    """The rights of a handle. Raises DsError(ERROR_ACCESS_DENIED) for others than those of reading."""
    descriptor = OPEN_KEY if is_open_key else WINREG_KEY
    wanted = desired & ~_WOW64
    return int(access_check(descriptor, requester, wanted or KEY_READ, mapping=_MAPPING))


def require(granted: int, right: int) -> None:
    """Raises DsError(ERROR_ACCESS_DENIED) unless a handle has a right."""
    if right & ~granted:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "the handle was not opened for this")
