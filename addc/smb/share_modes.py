"""What those who have a file open let others do with it.

Spec: [MS-FSA] 2.1.5.1.2.2 (sharing conflicts), [MS-SMB2] 2.2.13.
"""

from typing import Final

SHARE_READ: Final = 0x1
SHARE_WRITE: Final = 0x2
SHARE_DELETE: Final = 0x4
SHARE_ALL: Final = 0x7

_READS: Final = 0x01 | 0x20
"""FILE_READ_DATA, FILE_EXECUTE."""
_WRITES: Final = 0x02 | 0x04
"""FILE_WRITE_DATA, FILE_APPEND_DATA."""
_DELETES: Final = 0x1_0000


def uses(access: int) -> int:
    """Which sharing bits an access needs others to have given; 0: it takes no part in sharing."""
    return (
        (SHARE_READ if access & _READS else 0)
        | (SHARE_WRITE if access & _WRITES else 0)
        | (SHARE_DELETE if access & _DELETES else 0)
    )


class ShareModes:
    """The sum of all opens of one file: a decision costs the same however many there are."""

    __slots__ = ("_denied", "_used")

    def __init__(self) -> None:
        self._used = [0, 0, 0]
        self._denied = [0, 0, 0]

    def conflict(self, access: int, share: int) -> bool:
        """Whether another open with this access and sharing cannot be."""
        wanted = uses(access)
        if not wanted:
            return False
        for index in (0, 1, 2):
            bit = 1 << index
            if wanted & bit and self._denied[index]:
                return True
            if not share & bit and self._used[index]:
                return True
        return False

    def add(self, access: int, share: int) -> None:
        self._change(access, share, 1)

    def remove(self, access: int, share: int) -> None:
        self._change(access, share, -1)

    def _change(self, access: int, share: int, by: int) -> None:
        used = uses(access)
        if not used:
            return
        for index in (0, 1, 2):
            if used >> index & 1:
                self._used[index] += by
            if not share >> index & 1:
                self._denied[index] += by
        assert min(*self._used, *self._denied) >= 0
