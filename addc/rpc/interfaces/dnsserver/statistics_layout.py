"""What the structures of statistics hold: fields of 32 bits behind a header, in this order.

Spec: [MS-DNSP] 2.2.10.1.1 (DNSSRV_STATID_TYPES), 2.2.10.2.
"""

from collections.abc import Mapping
from typing import Final

LAYOUTS: Final[Mapping[int, tuple[str, str]]] = {
    0x2: (
        "QUERY",
        "UdpQueries UdpResponses UdpQueriesSent UdpResponsesReceived TcpClientConnections TcpQueries "
        "TcpResponses TcpQueriesSent TcpResponsesReceived",
    ),
    0x4: (
        "QUERY2",
        "TotalQueries Standard Notify Update TKeyNego TypeA TypeNs TypeSoa TypeMx TypePtr TypeSrv "
        "TypeAll TypeIxfr TypeAxfr TypeOther",
    ),
    0x8: (
        "RECURSE",
        "ReferralPasses QueriesRecursed OriginalQuestionRecursed AdditionalRecursed "
        "TotalQuestionsRecursed Retries LookupPasses Forwards Sends Responses ResponseUnmatched "
        "ResponseMismatched ResponseFromForwarder ResponseAuthoritative ResponseNotAuth "
        "ResponseAnswer ResponseNameError ResponseRcode ResponseEmpty ResponseDelegation "
        "ResponseNonZoneData ResponseUnsecure ResponseBadPacket SendResponseDirect "
        "ContinueCurrentRecursion ContinueCurrentLookup ContinueNextLookup RootNsQuery RootNsResponse "
        "CacheUpdateAlloc CacheUpdateResponse CacheUpdateFree CacheUpdateRetry SuspendedQuery "
        "ResumeSuspendedQuery PacketTimeout FinalTimeoutQueued FinalTimeoutExpired Failures "
        "RecursionFailure ServerFailure PartialFailure CacheUpdateFailure RecursePassFailure "
        "FailureReachAuthority FailureReachPreviousResponse FailureRetryCount TcpTry "
        "TcpConnectFailure TcpConnect TcpQuery TcpResponse TcpDisconnect DiscardedDuplicateQueries "
        "DuplicateCoalesedQueries GnzLocalQuery GnzRemoteQuery GnzRemoteResponse "
        "GnzRemoteResponseCacheSuccess GnzRemoteResponseCacheFailure CacheLockingDiscards",
    ),
    0x10: (
        "MASTER",
        "NotifySent Request NameError FormError AxfrLimit Refused RefuseSecurity RefuseShutdown "
        "RefuseLoading RefuseZoneLocked RefuseServerFailure RefuseNotAuth RefuseReadOnly Failure "
        "AxfrRequest AxfrSuccess StubAxfrRequest IxfrRequest IxfrNoVersion IxfrUpdateSuccess "
        "IxfrTcpRequest IxfrTcpSuccess IxfrAxfr IxfrUdpRequest IxfrUdpSuccess IxfrUdpForceTcp "
        "IxfrUdpForceAxfr",
    ),
    0x20: (
        "SECONDARY",
        "NotifyReceived NotifyInvalid NotifyPrimary NotifyNonPrimary NotifyNoVersion NotifyNewVersion "
        "NotifyCurrentVersion NotifyOldVersion NotifyMasterUnknown SoaRequest SoaResponse "
        "SoaResponseInvalid SoaResponseNameError AxfrRequest AxfrResponse AxfrSuccess AxfrRefused "
        "AxfrInvalid StubAxfrRequest StubAxfrResponse StubAxfrSuccess StubAxfrRefused StubAxfrInvalid "
        "IxfrUdpRequest IxfrUdpResponse IxfrUdpSuccess IxfrUdpUseTcp IxfrUdpUseAxfr "
        "IxfrUdpWrongServer IxfrUdpNoUpdate IxfrUdpNewPrimary IxfrUdpFormerr IxfrUdpRefused "
        "IxfrUdpInvalid IxfrTcpRequest IxfrTcpResponse IxfrTcpSuccess IxfrTcpAxfr IxfrTcpFormerr "
        "IxfrTcpRefused IxfrTcpInvalid",
    ),
    0x100: (
        "UPDATE",
        "Received Empty NoOps Completed Rejected FormErr NxDomain NotImpl Refused YxDomain YxRrset "
        "NxRrset NotAuth NotZone RefusedNonSecure RefusedAccessDenied SecureSuccess SecureContinue "
        "SecureFailure SecureDsWriteFailure DsSuccess DsWriteFailure unused_was_Collisions "
        "unused_was_CollisionsRead unused_was_CollisionsWrite unused_was_CollisionsDsWrite Queued "
        "Retry Timeout InQueue Forwards TcpForwards ForwardResponses ForwardTimeouts ForwardInQueue "
        "UpdateType",
    ),
    0x200: (
        "SKWANSEC",
        "SecContextCreate SecContextFree SecContextQueue SecContextQueueInNego "
        "SecContextQueueNegoComplete SecContextQueueLength SecContextDequeue SecContextTimeout "
        "SecPackAlloc SecPackFree SecTkeyInvalid SecTkeyBadTime SecTsigFormerr SecTsigEcho "
        "SecTsigBadKey SecTsigVerifySuccess SecTsigVerifyFailed",
    ),
    0x400: (
        "DS",
        "DsTotalNodesRead DsTotalRecordsRead DsNodesLoaded DsRecordsLoaded DsTombstonesRead "
        "DsUpdateSearches DsUpdateNodesRead DsUpdateRecordsRead UpdateLists UpdateNodes "
        "UpdateSuppressed UpdateWrites UpdateTombstones UpdateRecordChange UpdateAgingRefresh "
        "UpdateAgingOn UpdateAgingOff UpdatePacket UpdatePacketPrecon UpdateAdmin UpdateAutoConfig "
        "UpdateScavenge DsNodesAdded DsNodesModified DsNodesTombstoned DsNodesDeleted DsRecordsAdded "
        "DsRecordsReplaced DsWriteSuppressed DsSerialWrites LdapTimedWrites LdapWriteTimeTotal "
        "LdapWriteAverage LdapWriteMax LdapWriteBucket0 LdapWriteBucket1 LdapWriteBucket2 "
        "LdapWriteBucket3 LdapWriteBucket4 LdapWriteBucket5 LdapSearchTime FailedDeleteDsEntries "
        "FailedReadRecords FailedLdapModify FailedLdapAdd PollingPassesWithDsErrors LdapReconnects "
        "DsWriteType",
    ),
    0x400000: (
        "ERROR",
        "NoError FormError ServFail NxDomain NotImpl Refused YxDomain YxRRSet NxRRSet NotAuth NotZone "
        "Max BadSig BadKey BadTime UnknownError",
    ),
    0x1000000: (
        "DNSSEC",
        "SuccessfulValidations FailedValidations RecursionFailures",
    ),
    0x20000000: (
        "RRL",
        "TotalResponsesSent TotalResponsesDropped TotalResponsesTruncated TotalResponsesLeaked",
    ),
}
"""Name and fields of each structure, by DNSSRV_STATID_TYPES."""
