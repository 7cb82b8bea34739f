"""Many clients at once over LDAP: writers that know what they were promised, readers that look for halves.

Every promise a writer gets (an acknowledged change) is kept in its `Ledger`; after the traffic the directory
must be exactly their sum.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.base.ids import MessageId
from addc.codec.filter import And, Equal, Filter, GreaterOrEqual, Or, Present
from addc.ldap import messages as m
from addc.ldap.controls import LDAP_PAGED_RESULT_OID_STRING, LDAP_SERVER_SHOW_DELETED_OID, PagedResults
from tests.kit.served import DOMAIN_DN, LdapLine

FOLDERS: Final = tuple(f"OU=traffic{number},{DOMAIN_DN}" for number in range(3))
GROUPS: Final = tuple(f"CN=traffic-group{number},{FOLDERS[0]}" for number in range(4))
_USERS_MAX: Final = 30
_PAGE: Final = 500
SUBTREE: Final = 2
BASE: Final = 0

Entry = dict[str, list[bytes]]


class Refused(AssertionError):
    """The server said no to what must go well."""


class Client(LdapLine):
    """A bound connection with the few requests that traffic is made of."""

    def __init__(self, port: int) -> None:
        super().__init__(port, tls=True)
        self.bind()

    def change(self, op: m.Request) -> None:
        """A write that has to be acknowledged."""
        answer = self.ask(op)
        if not isinstance(answer, m.LdapResultFields) or answer.result_code != 0:
            raise Refused(answer)

    def modify(self, dn: str, *changes: tuple[int, str, bytes]) -> None:
        self.change(
            m.ModifyRequest(
                dn, tuple(m.Change(op, m.PartialAttribute(name, (value,))) for op, name, value in changes)
            )
        )

    def search(
        self, base: str, scope: int, wanted: Filter, *attributes: str, deleted: bool = False
    ) -> list[tuple[str, Entry]]:
        """All entries, a page at a time where there are many."""
        found: list[tuple[str, Entry]] = []
        cookie = b""
        while True:
            op = m.SearchRequest(base, scope, 0, 0, 0, False, wanted, attributes)
            controls = [m.Control(LDAP_PAGED_RESULT_OID_STRING, True, PagedResults(_PAGE, cookie).pack())]
            if deleted:
                controls.append(m.Control(LDAP_SERVER_SHOW_DELETED_OID, True, None))
            self._last += 1
            self.sock.sendall(m.LdapMessage(MessageId(self._last), op, tuple(controls)).pack())
            cookie = self._page(found)
            if not cookie:
                return found

    def _page(self, found: list[tuple[str, Entry]]) -> bytes:
        while True:
            message = self.take_message()
            match message.protocol_op:
                case m.SearchResultEntry() as entry:
                    values = {one.type.lower(): list(one.vals) for one in entry.attributes}
                    found.append((entry.object_name, values))
                case m.SearchResultDone() as done:
                    if done.result_code != 0:
                        raise Refused(done)
                    for control in message.controls:
                        if control.control_type == LDAP_PAGED_RESULT_OID_STRING:
                            return PagedResults.unpack(control.control_value or b"").cookie
                    return b""

    def highest_usn(self) -> int:
        """highestCommittedUSN."""
        ((_, entry),) = self.search("", BASE, Present("objectClass"), "highestCommittedUSN")
        return int(entry["highestcommittedusn"][0])


def prepare(client: Client) -> None:
    """Folders and groups that all writers share."""
    for dn in FOLDERS:
        client.change(m.AddRequest(dn, (m.PartialAttribute("objectClass", (b"organizationalUnit",)),)))
    for dn in GROUPS:
        client.change(m.AddRequest(dn, (m.PartialAttribute("objectClass", (b"group",)),)))


@dataclass(slots=True)
class Ledger:
    """What one writer was promised: its users, and how much of what it did."""

    users: dict[str, "Promise"] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Promise:
    """One user as acknowledged."""

    folder: str
    mark: int = 0
    groups: set[str] = field(default_factory=set)


class Writer:
    """Adds, changes, enrols, moves and deletes users of its own."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ledger = Ledger()
        self._random = random.Random(number)  # noqa: S311 - the same traffic every time
        self._made = 0

    def step(self, client: Client) -> None:
        """One acknowledged change."""
        users = self.ledger.users
        kinds = ("add",) if not users else ("add", "mark", "mark", "join", "join", "leave", "move", "delete")
        kind = self._random.choice(kinds)
        if kind == "add" and len(users) >= _USERS_MAX:
            kind = "delete"
        if kind == "add":
            self._add(client)
            return
        name = self._random.choice(sorted(users))
        if (done := self._act(client, kind, name, users[name])) is not None:
            self.ledger.done[done] += 1

    def _add(self, client: Client) -> None:
        self._made += 1
        name, folder = f"traffic-{self.number}-{self._made}", self._random.choice(FOLDERS)
        values = (
            ("objectClass", b"user"),
            ("sAMAccountName", name.encode()),
            ("description", b"0"),
            ("info", b"0"),
        )
        client.change(
            m.AddRequest(
                f"CN={name},{folder}", tuple(m.PartialAttribute(att, (value,)) for att, value in values)
            )
        )
        self.ledger.users[name] = Promise(folder)
        self.ledger.done["add"] += 1

    def _act(self, client: Client, kind: str, name: str, user: Promise) -> str | None:
        dn = f"CN={name},{user.folder}"
        group = self._random.choice(GROUPS)
        match kind:
            case "mark":
                mark = b"%d" % (user.mark + 1)
                client.modify(dn, (2, "description", mark), (2, "info", mark))
                user.mark += 1
            case "join" if group not in user.groups:
                client.modify(group, (0, "member", dn.encode()))
                user.groups.add(group)
            case "leave" if user.groups:
                group = sorted(user.groups)[0]
                client.modify(group, (1, "member", dn.encode()))
                user.groups.remove(group)
            case "move":
                folder = FOLDERS[(FOLDERS.index(user.folder) + 1) % len(FOLDERS)]
                client.change(m.ModifyDnRequest(dn, f"CN={name}", True, folder))
                user.folder = folder
            case "delete":
                client.change(m.DelRequest(dn))
                del self.ledger.users[name]
            case _:
                return None
        return kind


def watch_marks(client: Client, stop: threading.Event) -> Iterator[str]:
    """Users whose two marks differ: half of a Modify."""
    chance = random.Random(1)  # noqa: S311
    while not stop.is_set():
        folder = chance.choice(FOLDERS)
        for dn, entry in client.search(folder, SUBTREE, Present("info"), "description", "info"):
            if entry["description"] != entry["info"]:
                yield f"{dn}: description {entry['description']}, info {entry['info']}"


def watch_links(client: Client, stop: threading.Event) -> Iterator[str]:
    """Groups whose members and their memberOf differ in one answer."""
    chance = random.Random(2)  # noqa: S311
    while not stop.is_set():
        group = chance.choice(GROUPS)
        wanted = Or((Equal("distinguishedName", group.encode()), Equal("memberOf", group.encode())))
        found = dict(client.search(DOMAIN_DN, SUBTREE, wanted, "member", "memberOf"))
        members = {value.decode() for value in found.pop(group, {}).get("member", [])}
        if members != set(found):
            yield f"{group}: {sorted(members ^ set(found))} are on one side only"


class Follower:
    """Keeps a copy of the directory by uSNChanged alone, as a synchronising product does."""

    def __init__(self) -> None:
        self.copy: dict[bytes, tuple[int, str]] = {}
        self._seen = 0

    def catch_up(self, client: Client) -> None:
        """Fetch what changed; a change that is committed behind the cursor would be lost for good."""
        highest = client.highest_usn()
        assert highest >= self._seen, "highestCommittedUSN went back"
        wanted = And((GreaterOrEqual("uSNChanged", b"%d" % (self._seen + 1)), Present("objectClass")))
        self.copy |= snapshot(client, wanted)
        self._seen = highest

    def watch(self, client: Client, stop: threading.Event) -> Iterator[str]:
        while not stop.is_set():
            self.catch_up(client)
        yield from ()


def snapshot(client: Client, wanted: Filter) -> dict[bytes, tuple[int, str]]:
    """uSNChanged and DN by objectGUID, deleted objects too."""
    found = client.search(DOMAIN_DN, SUBTREE, wanted, "uSNChanged", "objectGUID", deleted=True)
    return {entry["objectguid"][0]: (int(entry["usnchanged"][0]), dn) for dn, entry in found}


Watch = Callable[[Client, threading.Event], Iterator[str]]


@dataclass(slots=True)
class Traffic:
    """Runs writers and watchers for a while, each on a thread and a connection of its own."""

    port: int
    faults: list[str] = field(default_factory=list)

    def run(self, seconds: float, writers: Sequence[Writer], watches: Sequence[Watch]) -> None:
        stop = threading.Event()
        threads = [threading.Thread(target=self._write, args=(one, stop)) for one in writers]
        threads += [threading.Thread(target=self._watch, args=(one, stop)) for one in watches]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.faults and all(one.is_alive() for one in threads):
            stop.wait(0.1)
        stop.set()
        for thread in threads:
            thread.join()

    def _write(self, writer: Writer, stop: threading.Event) -> None:
        try:
            with Client(self.port) as client:
                while not stop.is_set():
                    writer.step(client)
        except (AssertionError, OSError, EOFError) as error:
            self.faults.append(f"writer {writer.number}: {error!r}")

    def _watch(self, watch: Watch, stop: threading.Event) -> None:
        try:
            with Client(self.port) as client:
                self.faults.extend(watch(client, stop))
        except (AssertionError, OSError, EOFError) as error:
            self.faults.append(f"reader: {error!r}")
