"""The SQL schema: one set of Core tables for SQLite and PostgreSQL.

Byte strings compare as unsigned bytes on both, so keys and paths sort alike. Row ids are drawn by the writer
from `clock`, never by the database, so a row's id is known before its insert is sent. What only PostgreSQL
understands stands in store/postgres.py: naming it here would load its dialect.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Table

METADATA: Final = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite makes only an INTEGER PRIMARY KEY the row id itself; there it holds 64 bits as well."""

OBJECT: Final = Table(
    "object",
    METADATA,
    Column("dnt", _Id, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, nullable=False),
    Column("nc", BigInteger, nullable=False),
    Column("guid", LargeBinary),
    Column("sid", LargeBinary),
    Column("rdn_att", BigInteger, nullable=False),
    Column("rdn", LargeBinary, nullable=False),
    Column("rdn_key", LargeBinary, nullable=False),
    Column("instance_type", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("class_id", BigInteger, nullable=False),
    Column("sd_id", BigInteger, nullable=False),
    Column("usn_created", BigInteger, nullable=False),
    Column("usn_changed", BigInteger, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("attrs", LargeBinary, nullable=False),
    Column("meta", LargeBinary, nullable=False),
)
OBJECT_CHILD: Final = Index("object_child", OBJECT.c.parent, OBJECT.c.rdn_key, unique=True)
Index("object_guid", OBJECT.c.guid, unique=True)
OBJECT_SID: Final = Index("object_sid", OBJECT.c.sid, sqlite_where=OBJECT.c.sid.is_not(None))
Index("object_path", OBJECT.c.path, unique=True)
Index("object_usn", OBJECT.c.nc, OBJECT.c.usn_changed)

ATTR_INDEX: Final = Table(
    "attr_index",
    METADATA,
    Column("att", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),
    Column("dnt", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
Index("attr_index_dnt", ATTR_INDEX.c.dnt, ATTR_INDEX.c.att)

LINK: Final = Table(
    "link",
    METADATA,
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("link_base", BigInteger, primary_key=True, autoincrement=False),
    Column("target", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, primary_key=True),
    Column("deleted_ft", BigInteger, nullable=False),
    Column("created_ft", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("time_ft", BigInteger, nullable=False),
    Column("invocation_id", LargeBinary, nullable=False),
    Column("originating_usn", BigInteger, nullable=False),
    Column("local_usn", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("link_back", LINK.c.target, LINK.c.link_base, LINK.c.source, LINK.c.data)

DESCRIPTOR: Final = Table(
    "security_descriptor",
    METADATA,
    Column("sd_id", _Id, primary_key=True, autoincrement=False),
    Column("sd", LargeBinary, nullable=False),
)

FILE: Final = Table(
    "file",
    METADATA,
    Column("node", _Id, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("guid", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attributes", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_ft", BigInteger, nullable=False),
    Column("accessed_ft", BigInteger, nullable=False),
    Column("written_ft", BigInteger, nullable=False),
    Column("changed_ft", BigInteger, nullable=False),
    Column("sd_id", BigInteger, nullable=False),
    Column("usn_created", BigInteger, nullable=False),
    Column("usn_changed", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("time_ft", BigInteger, nullable=False),
    Column("invocation_id", LargeBinary, nullable=False),
    Column("originating_usn", BigInteger, nullable=False),
)
"""SYSVOL's files and folders, live and removed ones; the columns from usn_created on are the stamp."""
Index("file_child", FILE.c.parent, FILE.c.key, unique=True)
Index("file_guid", FILE.c.guid, unique=True)
Index("file_usn", FILE.c.usn_changed)

EXTENT: Final = Table(
    "file_extent",
    METADATA,
    Column("node", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Which chunk stands where in a file; where none does, it reads as zeros."""

CHUNK: Final = Table(
    "file_chunk",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("uses", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""Content, each piece once. uses: extents that name it; it goes with the last of them."""

SHARE_FILE: Final = Table(
    "share_file",
    METADATA,
    Column("row", _Id, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("attributes", BigInteger, nullable=False),
    Column("created_ft", BigInteger, nullable=False),
    Column("changed_ft", BigInteger, nullable=False),
    Column("host_ns", BigInteger, nullable=False),
    Column("sd_id", BigInteger, nullable=False),
)
"""What a host's own file system does not keep of the files in operators' shares; the content lies there."""
Index("share_file_child", SHARE_FILE.c.parent, SHARE_FILE.c.key, unique=True)

STATE: Final = Table(
    "state",
    METADATA,
    Column("name", String(255), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

AGENDA: Final = Table(
    "agenda",
    METADATA,
    Column("dnt", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("data", LargeBinary, primary_key=True),
    Column("due_ft", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("agenda_due", AGENDA.c.kind, AGENDA.c.due_ft, AGENDA.c.dnt, AGENDA.c.data)

CLOCK: Final = Table(
    "clock",
    METADATA,
    Column("one", _Id, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("usn", BigInteger, nullable=False),
    Column("dnt", BigInteger, nullable=False),
)
"""One row: the newest commit, the highest USN and the highest row id given out."""

COMMIT_LOG: Final = Table(
    "commit_log",
    METADATA,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("writer", LargeBinary, nullable=False),
    Column("usn_low", BigInteger, nullable=False),
    Column("usn_high", BigInteger, nullable=False),
    Column("sids", SmallInteger, nullable=False),
    Column("ncs", LargeBinary, nullable=False),
    Column("dnts", LargeBinary),
)
"""What each of the latest commits touched, for the caches of all processes. dnts NULL: too many to name."""

VERSION: Final = Table("alembic_version", METADATA, Column("version_num", String(32), primary_key=True))
"""Alembic's own table, so that its tools recognise the database."""
