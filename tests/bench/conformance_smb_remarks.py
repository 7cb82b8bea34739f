"""What is to be said of smbtorture's tests that addc does not pass, by test or suite; which are not run."""

from typing import Final

_STREAMS: Final = "there are no streams, as on volumes that are not NTFS: STATUS_OBJECT_NAME_INVALID"
_EAS: Final = "no extended attributes are kept: STATUS_EAS_NOT_SUPPORTED"
_SHORT: Final = "files have no second, short names, as on NTFS with 8.3 names switched off"
_BLOCKS: Final = "blocks a connection by iptables, which the machine lacks"
_SPARSE: Final = "no sparse files, and the volume says so"
_OPTION: Final = "needs an option of smbtorture or a setting of Samba's own"
_EXPIRE: Final = "fails with Samba too, by a ticket as well; not understood yet"
_SANE: Final = "asks for Windows' ACCESS_DENIED; FILE_NOT_AVAILABLE as [MS-SMB2] 3.3.5.9 says"

REMARKS: Final[dict[str, str]] = {
    "smb2.streams": _STREAMS,
    "smb2.fileid": _STREAMS,
    "smb2.ioctl-on-stream": _STREAMS,
    "smb2.lease.request": _STREAMS,
    "smb2.compound.compound-padding": _STREAMS,
    "smb2.oplock.batch26": _STREAMS,
    "smb2.oplock.stream1": _STREAMS,
    "smb2.timestamps.test_close_not_attrib": _STREAMS,
    "smb2.getinfo.complex": _STREAMS,
    "smb2.getinfo.normalized": _STREAMS,
    "smb2.getinfo.qfile_buffercheck": _EAS,
    "smb2.setinfo": _EAS,
    "smb2.ea": _EAS,
    "smb2.getinfo.getinfo_access": _SHORT,
    "smb2.dir.one": _SHORT,
    "smb2.mangle": _SHORT,
    "smb2.ioctl.sparse_qar": _SPARSE,
    "smb2.ioctl": "what the volume says it lacks is skipped",
    "smb2.ioctl.compress_notsup_set": "STATUS_INVALID_DEVICE_REQUEST: volumes without compression",
    "smb2.ioctl.bug14769": "asks for the ioctl of Samba's own extensions",
    "smb2.kernel-oplocks": "a matter of Samba and its kernel; some need streams",
    "smb2.notify-inotify": "changes by the host's own programs are not told to watchers",
    "smb2.replay": _SANE,
    "smb2.multichannel": _BLOCKS,
    "smb2.oplock.batch22b": _BLOCKS,
    "smb2.oplock.levelii500": "the status of an acknowledgment nobody waits for; not done yet",
    "smb2.create.gentest": "who only synchronizes may open: other tests of the same program do",
    "smb2.create.quota-fake-file": "no quotas are kept",
    "smb2.maximum_allowed": "privileges to back up count only with backup intent ([MS-FSA] 2.1.5.1)",
    "smb2.session.expire1e": _EXPIRE,
    "smb2.session.expire1n": _EXPIRE,
    "smb2.session.expire1s": _EXPIRE,
    "smb2.session.expire2e": _EXPIRE,
    "smb2.session.expire2s": _EXPIRE,
    "smb2.session.expire_disconnect": _EXPIRE,
    "smb2.session.ntlmssp_bug14932": "a broken NTLM message is STATUS_LOGON_FAILURE; not done yet",
    "smb2.session.reauth5": "asks to delete a file that is not there",
    "smb2.timestamps.delayed-2write": "the time of a second write is told at once",
    "smb2.timestamp_resolution": "asks for times that are 15 ms coarse",
    "smb2.dosmode": _OPTION,
    "smb2.set-sparse-ioctl": _OPTION,
    "smb2.zero-data-ioctl": _OPTION,
    "smb2.acls_non_canonical": _OPTION,
    "smb2.change_notify_disabled": _OPTION,
    "smb2.samba3misc": _OPTION,
    "smb2.twrp": "no snapshots",
    "smb2.scan.scan": "tries every number; it does not end in time",
    "smb2.maxfid": "opens files until there is no room; it does not end in time",
    "smb2.dir.file-index": "no file index, as on NTFS",
}
_PENDING_3: Final = {
    f"smb2.replay.dhv2-pending3{level}-vs-{held}-{kind}": _BLOCKS
    for level in "nlo"
    for held in ("oplock", "lease")
    for kind in ("sane", "windows")
}
REMARKS.update(_PENDING_3)
LEFT_OUT: Final[dict[str, str]] = {
    "smb2.aio_delay": "waits for a delay that only a module of Samba's own makes",
    "smb2.durable-v2-delay": "waits for a delay that only a module of Samba's own makes",
    "smb2.bench": "measures for as long as it is let; it tests nothing",
    "smb2.hold-oplock": "holds oplocks for somebody to watch; it tests nothing",
    "smb2.hold-sharemode": "holds a file for somebody to watch; it tests nothing",
    "smb2.check-sharemode": "the other half of smb2.hold-sharemode",
}
"""By suite."""
