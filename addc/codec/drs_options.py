"""DRS_OPTIONS: what a partner in replication is, and how it is replicated with.

Spec: [MS-DRSR] 5.41.
"""

from enum import IntFlag
from typing import Final


class DrsOption(IntFlag):
    """Bits of replicaFlags in repsFrom and repsTo, and of options of drsuapi's methods.

    Where a bit has a name for each method, the one of replica flags is the member.
    """

    NONE = 0
    DRS_ASYNC_OP = 0x0000_0001
    DRS_GETCHG_CHECK = 0x0000_0002
    DRS_ADD_REF = 0x0000_0004
    DRS_DEL_REF = 0x0000_0008
    DRS_WRIT_REP = 0x0000_0010
    DRS_INIT_SYNC = 0x0000_0020
    DRS_PER_SYNC = 0x0000_0040
    DRS_MAIL_REP = 0x0000_0080
    DRS_ASYNC_REP = 0x0000_0100
    DRS_TWOWAY_SYNC = 0x0000_0200
    DRS_CRITICAL_ONLY = 0x0000_0400
    DRS_GET_ANC = 0x0000_0800
    DRS_LOCAL_ONLY = 0x0000_1000
    DRS_NONGC_RO_REP = 0x0000_2000
    DRS_SYNC_BYNAME = 0x0000_4000
    DRS_FULL_SYNC_NOW = 0x0000_8000
    DRS_FULL_SYNC_IN_PROGRESS = 0x0001_0000
    DRS_FULL_SYNC_PACKET = 0x0002_0000
    DRS_SYNC_REQUEUE = 0x0004_0000
    DRS_SYNC_URGENT = 0x0008_0000
    DRS_REF_GCSPN = 0x0010_0000
    DRS_NEVER_SYNCED = 0x0020_0000
    DRS_SPECIAL_SECRET_PROCESSING = 0x0040_0000
    DRS_INIT_SYNC_NOW = 0x0080_0000
    DRS_PREEMPTED = 0x0100_0000
    DRS_SYNC_FORCED = 0x0200_0000
    DRS_DISABLE_AUTO_SYNC = 0x0400_0000
    DRS_DISABLE_PERIODIC_SYNC = 0x0800_0000
    DRS_USE_COMPRESSION = 0x1000_0000
    DRS_NEVER_NOTIFY = 0x2000_0000
    DRS_SYNC_PAS = 0x4000_0000
    DRS_GET_ALL_GROUP_MEMBERSHIP = 0x8000_0000


NEIGHBOR_FLAGS: Final = (
    DrsOption.DRS_WRIT_REP
    | DrsOption.DRS_INIT_SYNC
    | DrsOption.DRS_PER_SYNC
    | DrsOption.DRS_MAIL_REP
    | DrsOption.DRS_TWOWAY_SYNC
    | DrsOption.DRS_NONGC_RO_REP
    | DrsOption.DRS_FULL_SYNC_IN_PROGRESS
    | DrsOption.DRS_FULL_SYNC_PACKET
    | DrsOption.DRS_REF_GCSPN
    | DrsOption.DRS_NEVER_SYNCED
    | DrsOption.DRS_SPECIAL_SECRET_PROCESSING
    | DrsOption.DRS_PREEMPTED
    | DrsOption.DRS_DISABLE_AUTO_SYNC
    | DrsOption.DRS_DISABLE_PERIODIC_SYNC
    | DrsOption.DRS_USE_COMPRESSION
    | DrsOption.DRS_NEVER_NOTIFY
    | DrsOption.DRS_SYNC_PAS
)
"""Those that readers of a partner are shown. Spec: [MS-DRSR] 4.1.13.3."""
