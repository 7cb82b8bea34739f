"""Which commands files answer, and by what.

Spec: [MS-SMB2] 3.3.5.9 - 3.3.5.22.
"""

from functools import partial

from addc.smb import breaks, change_notify, create, files, lock_ranges, query_directory, query_info, set_info
from addc.smb.messages import Command
from addc.smb.opens import FileServer
from addc.smb.request import Handlers


def file_handlers(server: FileServer) -> Handlers:
    """Handlers of all commands that concern files, for shares of files."""
    return {
        Command.CREATE: partial(create.create, server),
        Command.CLOSE: partial(files.close, server),
        Command.FLUSH: partial(files.flush, server),
        Command.READ: partial(files.read, server),
        Command.WRITE: partial(files.write, server),
        Command.LOCK: partial(lock_ranges.lock, server),
        Command.QUERY_DIRECTORY: partial(query_directory.query_directory, server),
        Command.CHANGE_NOTIFY: partial(change_notify.change_notify, server),
        Command.QUERY_INFO: partial(query_info.query_info, server),
        Command.SET_INFO: partial(set_info.set_info, server),
        Command.OPLOCK_BREAK: partial(breaks.acknowledge, server),
    }
