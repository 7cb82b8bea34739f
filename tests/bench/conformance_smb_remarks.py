"""What is to be said of smbtorture's tests that addc does not pass, by test or suite; which are not run."""

from typing import Final

REMARKS: Final[dict[str, str]] = {}
LEFT_OUT: Final[dict[str, str]] = {
    "smb2.aio_delay": "waits for a delay that only a module of Samba's own makes",
    "smb2.durable-v2-delay": "waits for a delay that only a module of Samba's own makes",
    "smb2.bench": "measures for as long as it is let; it tests nothing",
    "smb2.hold-oplock": "holds oplocks for somebody to watch; it tests nothing",
    "smb2.hold-sharemode": "holds a file for somebody to watch; it tests nothing",
    "smb2.check-sharemode": "the other half of smb2.hold-sharemode",
}
"""By suite."""
