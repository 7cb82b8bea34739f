"""What applications stumble over in Active Directory: each quirk with Windows' answer."""

import base64
from collections.abc import Iterator

import pytest

from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN
from tests.kit.net import Host

YARD = f"OU=quirks,{DOMAIN_DN}"
GROUP = f"CN=crowd,{YARD}"
COUNT = 1501
POLICY = (
    "CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,"
    f"CN=Configuration,{DOMAIN_DN}"
)
USERS = f"CN=Users,{DOMAIN_DN}"


@pytest.fixture(scope="module")
def crowd(machine: Host) -> Iterator[Client]:
    """1,501 contacts, and a group of them all."""
    user = Client(machine)
    user.login()
    people = [f"CN=c{number},{YARD}" for number in range(COUNT)]
    ldif = f"dn: {YARD}\nobjectClass: organizationalUnit\n\n"
    ldif += "".join(f"dn: {dn}\nobjectClass: contact\n\n" for dn in people)
    ldif += f"dn: {GROUP}\nobjectClass: group\nsAMAccountName: crowd\n"
    user.must_change(ldif + "".join(f"member: {dn}\n" for dn in people), "ldapadd")
    yield user
    user.login()
    user.machine.run(["ldapdelete", "-Q", "-Y", "GSSAPI", "-e", "!1.2.840.113556.1.4.805", YARD], check=True)


@pytest.fixture
def admin(crowd: Client) -> Client:
    """The administrator, logged on anew."""
    crowd.login()
    return crowd


@pytest.fixture
def limits(admin: Client) -> Iterator[Client]:
    """lDAPAdminLimits may be changed, and are as before afterwards."""
    before = admin.entries("-s", "base", "(objectClass=*)", "lDAPAdminLimits", base=POLICY)[0][
        "ldapadminlimits"
    ]
    yield admin
    admin.login()
    values = "".join(f"lDAPAdminLimits: {one}\n" for one in before)
    admin.must_change(f"dn: {POLICY}\nchangetype: modify\nreplace: lDAPAdminLimits\n{values}")


def set_limit(admin: Client, name: str, old: int, new: int) -> None:
    head = f"dn: {POLICY}\nchangetype: modify\n"
    change = f"delete: lDAPAdminLimits\nlDAPAdminLimits: {name}={old}\n-\nadd: lDAPAdminLimits\n"
    admin.must_change(f"{head}{change}lDAPAdminLimits: {name}={new}\n")


def ranges(entry: dict[str, list[str]]) -> dict[str, int]:
    """Descriptions of member -> how many values came."""
    return {name: len(values) for name, values in entry.items() if name.startswith("member")}


def test_1501_members_come_as_a_range_that_nobody_asked_for(admin: Client) -> None:
    """3.1.1.3.1.3.3: `member` itself is not there; the last range says so by a star."""
    (entry,) = admin.entries("-s", "base", "(objectClass=*)", "member", base=GROUP)
    assert ranges(entry) == {"member;range=0-1499": 1500}
    (entry,) = admin.entries("-s", "base", "(objectClass=*)", "member;range=1500-*", base=GROUP)
    assert ranges(entry) == {"member;range=1500-*": 1}


def test_max_val_range_is_honoured_at_once(limits: Client) -> None:
    """So that developers can have the quirk with a group of six."""
    set_limit(limits, "MaxValRange", 1500, 5)
    (entry,) = limits.entries("-s", "base", "(objectClass=*)", "member", base=GROUP)
    assert ranges(entry) == {"member;range=0-4": 5}


def test_more_than_1000_entries_are_no_answer(limits: Client) -> None:
    """3.1.1.3.4.6: the first 1,000 and sizeLimitExceeded; pages have them all; the limit is read live."""
    done = limits.search("-s", "one", "(objectClass=contact)", "1.1", base=YARD)
    assert done.returncode == 4 and done.stdout.count("dn: ") == 1000
    assert "Size limit exceeded" in done.stderr and "ERROR_DS" not in done.stderr
    paged = limits.search("-E", "pr=700/noprompt", "-s", "one", "(objectClass=contact)", "1.1", base=YARD)
    assert paged.returncode == 0 and paged.stdout.count("dn: ") == COUNT
    set_limit(limits, "MaxPageSize", 1000, 20)
    done = limits.search("-s", "one", "(objectClass=contact)", "1.1", base=YARD)
    assert done.returncode == 4 and done.stdout.count("dn: ") == 20
    paged = limits.search("-E", "pr=700/noprompt", "-s", "one", "(cn=c1*)", "1.1", base=YARD)
    assert paged.returncode == 0 and paged.stdout.count("dn: ") == 612, "pages are cut to 20 as well"


def test_a_search_from_the_root_of_the_domain_ends_with_references(admin: Client) -> None:
    """3.1.1.4.7: naming contexts below the domain; not from an OU, and not with the domain scope control."""
    found = admin.search("(sAMAccountName=Administrator)", "1.1")
    assert found.returncode == 0
    references = [line for line in found.stdout.splitlines() if "ref" in line.lower()]
    for name in ("ForestDnsZones", "DomainDnsZones"):
        url = f"ldap://{name}.{DNS_DOMAIN}/DC={name},{DOMAIN_DN}"
        assert any(url in line for line in references), references
    assert any(f"ldap://{DNS_DOMAIN}/CN=Configuration,{DOMAIN_DN}" in line for line in references)
    for words in (("-b", USERS), ("-E", "!1.2.840.113556.1.4.1339")):
        assert "ref" not in admin.search(*words, "(cn=Guest)", "1.1").stdout.lower()
    elsewhere = admin.search("(cn=x)", base="DC=elsewhere,DC=example")
    assert elsewhere.returncode == 10 and "ldap://elsewhere.example/DC=elsewhere" in elsewhere.stderr


def test_identifiers_are_found_as_bytes_and_as_text(admin: Client) -> None:
    (entry,) = admin.entries("-s", "base", "(objectClass=*)", "objectGUID", "objectSid", base=GROUP)
    guid, sid = entry["objectguid"][0].encode("latin-1"), entry["objectsid"][0].encode("latin-1")
    escaped = "".join(f"\\{byte:02x}" for byte in guid)
    (entry,) = admin.entries(f"(objectGUID={escaped})", "objectSid")
    assert entry["dn"] == [GROUP]
    subs = [int.from_bytes(sid[at : at + 4], "little") for at in range(8, len(sid), 4)]
    text = f"S-1-5-{'-'.join(map(str, subs))}"
    assert [one["dn"] for one in admin.entries(f"(objectSid={text})", "1.1")] == [[GROUP]]
    for base in (f"<GUID={guid.hex()}>", f"<SID={text}>"):
        assert admin.entries("-s", "base", "(objectClass=*)", "1.1", base=base)[0]["dn"] == [GROUP]


NAMES = {
    "Smith, John": r"CN=Smith\, John", "a+b": r"CN=a\+b", 'say "hi"': r"CN=say \"hi\"", "#1": r"CN=\#1",
    "back\\slash": r"CN=back\\slash", "a/b": "CN=a/b", "a=b": r"CN=a\=b", "x;y<z>": r"CN=x\;y\<z\>",
    "Łódź ☂": "CN=Łódź ☂",
}  # fmt: skip
"""A name as it is -> the RDN that AD gives back."""


def test_names_are_escaped_as_windows_does(admin: Client) -> None:
    """3.1.1.3.1.2: the filter and the ldif say it in other ways than the answer."""
    for name, rdn in NAMES.items():
        dn = f"{rdn},{YARD}"
        encoded = base64.b64encode(dn.encode()).decode()
        admin.must_change(f"dn:: {encoded}\nobjectClass: contact\n", "ldapadd")
        filter_value = "".join(f"\\{byte:02x}" for byte in name.encode())
        (entry,) = admin.entries(f"(cn={filter_value})", "name", "distinguishedName")
        answers = {
            key: value[0].encode("latin-1", "ignore").decode("utf-8", "replace")
            for key, value in entry.items()
        }
        assert answers["dn"] == answers["distinguishedname"] == dn
        assert answers["name"] == name
        assert len(admin.entries("-s", "base", "(objectClass=*)", "1.1", base=dn)) == 1
        assert admin.delete(dn).returncode == 0
    admin.must_change(f"dn: CN=\\20lead and trail\\20,{YARD}\nobjectClass: contact\n", "ldapadd")
    (entry,) = admin.entries("(cn=*lead and trail*)", "1.1")
    assert entry["dn"][0].startswith("CN=\\ lead and trail\\ ,") or "CN=lead and trail," in entry["dn"][0]
    assert admin.delete(entry["dn"][0]).returncode == 0


def test_nothing_found_and_nothing_there_are_two_answers(admin: Client) -> None:
    empty = admin.search("(cn=nobody)", "1.1", base=USERS)
    assert (empty.returncode, empty.stdout.strip(), empty.stderr.strip()) == (0, "", "")
    missing = admin.search("(cn=nobody)", "1.1", base=f"CN=a,CN=b,{USERS}")
    assert missing.returncode == 32 and f"Matched DN: {USERS}" in missing.stderr + missing.stdout
    assert (
        "0000208D: NameErr: DSID-" in missing.stderr and "problem 2001 (NO_OBJECT), data 0" in missing.stderr
    )
    broken = admin.search("(cn=x)", base="nonsense")
    assert broken.returncode == 34 and "problem 2006 (BAD_NAME), data 0" in broken.stderr


def test_failed_logons_say_why_by_a_number(admin: Client, machine: Host) -> None:
    """What parsers of `data 52e` look for."""
    del admin
    for who in ("Administrator", "nobody"):
        done = machine.run(["ldapwhoami", "-x", "-ZZ", "-D", f"{who}@{DNS_DOMAIN}", "-w", "wrong.Passw0rd"])
        assert done.returncode == 49
        assert "80090308: LdapErr: DSID-" in done.stderr
        assert "comment: AcceptSecurityContext error, data 52e, v" in done.stderr


def test_attributes_that_are_not_what_they_seem(admin: Client) -> None:
    """memberOf lacks the primary group; times are generalized with tenths; `never` has two numbers."""
    names = ("memberOf", "primaryGroupID", "whenChanged", "accountExpires", "pwdLastSet", "objectCategory")
    (entry,) = admin.entries("(sAMAccountName=krbtgt)", *names)
    assert entry["primarygroupid"] == ["513"]
    assert not any(one.startswith("CN=Domain Users") for one in entry.get("memberof", []))
    assert entry["whenchanged"][0].endswith(".0Z") and len(entry["whenchanged"][0]) == 17
    assert entry["accountexpires"][0] in ("0", "9223372036854775807")
    assert len(entry["pwdlastset"][0]) == 18
    assert entry["objectcategory"] == [f"CN=Person,CN=Schema,CN=Configuration,{DOMAIN_DN}"]
    many = admin.search("(sAMAccountName=krbtgt)", "tokenGroups")
    assert many.returncode == 1 and "00002120: SvcErr" in many.stderr, "of one object at a time"
    (own,) = admin.entries("-s", "base", "(objectClass=*)", "tokenGroups", base=entry["dn"][0])
    assert own["tokengroups"]


def test_filters_that_applications_are_fond_of(admin: Client) -> None:
    def found(text: str) -> set[str]:
        return {one["dn"][0].split(",")[0] for one in admin.entries(text, "1.1")}

    assert found("(userAccountControl:1.2.840.113556.1.4.803:=2)") >= {"CN=Guest", "CN=krbtgt"}
    assert found(
        "(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
    ) >= {"CN=Administrator"}
    assert found("(SAMACCOUNTNAME=aDmInIsTrAtOr)") == {"CN=Administrator"}
    assert found("(anr=admini)") >= {"CN=Administrator", "CN=Administrators"}
    assert found("(memberOf:1.2.840.113556.1.4.1941:=CN=Administrators,CN=Builtin," + DOMAIN_DN + ")") >= {
        "CN=Administrator", "CN=Domain Admins",
    }  # fmt: skip
    assert found("(&(objectClass=user)(whenCreated>=20200101000000.0Z)(cn=Guest))") == {"CN=Guest"}
    assert found("(|(accountExpires=0)(accountExpires=9223372036854775807))") >= {"CN=Guest"}
    assert found("(!(nosuchattribute=x))") == set()
    plain = admin.entries("(cn=Guest)", "objectGUID;binary", "nosuchattribute", "cn")
    assert set(plain[0]) == {"dn", "cn"} or "objectguid;binary" in plain[0]


def test_deleted_objects_and_what_changed_since(admin: Client) -> None:
    """Synchronization by uSNChanged, with the Show Deleted control for what has gone."""
    (root,) = admin.entries("-s", "base", "(objectClass=*)", "highestCommittedUSN", base="")
    since = int(root["highestcommittedusn"][0]) + 1
    admin.must_change(f"dn: CN=gone,{YARD}\nobjectClass: contact\n", "ldapadd")
    admin.must_change(f"dn: CN=kept,{YARD}\nobjectClass: contact\n", "ldapadd")
    assert admin.delete(f"CN=gone,{YARD}").returncode == 0
    wanted = f"(uSNChanged>={since})"
    assert [one["dn"][0] for one in admin.entries(wanted, "1.1")] == [f"CN=kept,{YARD}"]
    both = admin.entries("-E", "!1.2.840.113556.1.4.417", wanted, "isDeleted", "lastKnownParent")
    (gone,) = [one for one in both if one.get("isdeleted") == ["TRUE"]]
    assert gone["dn"][0].startswith("CN=gone\\0ADEL:") and gone["lastknownparent"] == [YARD]
