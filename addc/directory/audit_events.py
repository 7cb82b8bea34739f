"""Records of who did what to the directory's objects, as values that a service can write down.

Event numbers are those of Windows' security log, so that what reads that log can read this one.

Spec: [MS-ADTS] 5.1.3.1 (SACL), [MS-DTYP] 2.4.4.10, 2.4.4.11 (audit entries).
"""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from addc.base.clock import FileTime
from addc.codec.ids import Sid


class AuditEvent(IntEnum):
    """What happened."""

    PASSWORD_FETCHED = 2946
    """A managed account's; or, not successful, 2947."""
    PASSWORD_FETCH_REFUSED = 2947
    OBJECT_ACCESS = 4662
    KERBEROS_POLICY = 4713
    PASSWORD_RESET = 4724
    LOCKED_OUT = 4740
    SECRET_READ = 4782
    MODIFIED = 5136
    CREATED = 5137
    UNDELETED = 5138
    MOVED = 5139
    DELETED = 5141


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One event.

    guid, properties: 16 wire bytes each; properties: GUIDs of attributes, property sets, classes or rights.
    attribute, added, removed: of a modification; values of secrets and those that are no text are not told.
    new_dn: where the object went. detail: how it was done, where that is not plain.
    """

    event: AuditEvent
    success: bool
    when_ft: FileTime
    subject: Sid
    dn: str
    guid: bytes
    object_class: str
    access_mask: int
    properties: tuple[bytes, ...] = ()
    attribute: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    new_dn: str = ""
    detail: str = ""

    def fields(self) -> dict[str, object]:
        """What a log line holds; JSON can hold all of it."""
        found: dict[str, object] = {
            "event": int(self.event),
            "result": "success" if self.success else "failure",
            "subject": str(self.subject),
            "object": self.dn,
            "object_guid": str(UUID(bytes_le=self.guid)),
            "object_class": self.object_class,
            "access_mask": f"{self.access_mask:#x}",
        }
        if self.properties:
            found["properties"] = [str(UUID(bytes_le=one)) for one in self.properties]
        if self.attribute:
            found["attribute"] = self.attribute
            found["added"] = list(self.added)
            found["removed"] = list(self.removed)
        if self.new_dn:
            found["new_object"] = self.new_dn
        if self.detail:
            found["detail"] = self.detail
        return found
