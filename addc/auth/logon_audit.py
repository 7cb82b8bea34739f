"""One record for each password or NTLM response that a DC judged: whose, from which machine, what came of it.

The number is Windows' 4776 (credential validation). Fields are stable: what is added later has a new name,
and FORMAT grows when a field changes its meaning.

Spec: [MS-NLMP] 2.2.2.1 (AV_PAIRs), 3.2.5.1.2, [MS-APDS] 3.1.5.
"""

import logging
from typing import Final

from addc.auth.ntlm import Proof
from addc.auth.ntlm_logon import NtlmVerdict
from addc.base.ids import Dnt
from addc.codec.ntlm import NO_BINDINGS
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts
from addc.directory.context import ReadContext
from addc.security import wellknown

FORMAT: Final = 1
VALIDATED: Final = 4776
TITLE: Final = "credentials validated"
GRANTED: Final = logging.getLogger("addc.audit.granted")
REFUSED: Final = logging.getLogger("addc.audit.refused")


def is_wanted() -> bool:
    """Whether anybody reads such records, so that they are worth making."""
    return REFUSED.isEnabledFor(logging.INFO) or GRANTED.isEnabledFor(logging.INFO)


def ntlm_event(ctx: ReadContext, proof: Proof, verdict: NtlmVerdict) -> dict[str, object]:
    """The fields of an NTLM logon's record; where it came from is for the protocol to add."""
    return _event(ctx, "NTLM", proof.user, verdict.account, verdict.status) | {
        "domain": proof.domain,
        "workstation": proof.workstation,
        "ntlm_version": 2,
        "integrity": proof.response.has_mic,
        "channel_bound": proof.response.bindings != NO_BINDINGS,
    }


def simple_event(ctx: ReadContext, name: str, account: Dnt | None, status: NtStatus) -> dict[str, object]:
    """The fields of a simple bind's record."""
    return _event(ctx, "simple", name, account, status)


def _event(
    ctx: ReadContext, package: str, name: str, account: Dnt | None, status: NtStatus
) -> dict[str, object]:
    found = None if account is None else accounts.find_by_dnt(ctx, account)
    return {
        "event": VALIDATED,
        "format": FORMAT,
        "package": package,
        "name": name,
        "account": "" if found is None else found.sam_account_name,
        "account_sid": str(wellknown.NULL) if found is None else str(found.sid),
        "status": f"{int(status):#010x}",
        "status_name": status.name,
    }


def tell(fields: dict[str, object], *, granted: bool, protocol: str, address: str, port: int) -> None:
    """Write a record down. granted: what was asked for with the credentials was given, not only they good."""
    logger = GRANTED if granted else REFUSED
    if logger.isEnabledFor(logging.INFO):
        place = {"protocol": protocol, "address": address, "port": port}
        result = {"result": "success" if granted else "failure"}
        logger.info(TITLE, extra={"fields": fields | result | place})
