"""The rootDSE: what is returned unasked, what only when named, and to whom."""

from addc.codec.filter import Present
from addc.directory.search import BASE, SearchRequest, search
from addc.security.token import ANONYMOUS, SYSTEM, Token
from tests.kit.forest import CONFIG_DN, DOMAIN_DN, SCHEMA_DN, USERS_DN, KitForest


def read(forest: KitForest, *attributes: str, who: Token = ANONYMOUS) -> dict[str, list[bytes]]:
    request = SearchRequest("", BASE, Present("objectClass"), attributes)
    entry = forest.read(lambda ctx: search(ctx, request), who).entries[0]
    assert entry.dn == b""
    return {name.decode(): values for name, values in entry.attributes}


def test_the_default_read_is_that_of_windows_server_2019(sqlite_forest: KitForest) -> None:
    found = read(sqlite_forest)
    assert list(found) == [
        "domainFunctionality", "forestFunctionality", "domainControllerFunctionality",
        "rootDomainNamingContext", "ldapServiceName", "isGlobalCatalogReady", "supportedSASLMechanisms",
        "supportedLDAPVersion", "supportedLDAPPolicies", "supportedControl", "supportedCapabilities",
        "subschemaSubentry", "serverName",
        "schemaNamingContext", "namingContexts", "isSynchronized", "highestCommittedUSN", "dsServiceName",
        "dnsHostName", "defaultNamingContext", "currentTime", "configurationNamingContext",
    ]  # fmt: skip
    assert found == read(sqlite_forest, "*")
    assert found["defaultNamingContext"] == [DOMAIN_DN.encode()]
    assert found["configurationNamingContext"] == [CONFIG_DN.encode()]
    assert found["schemaNamingContext"] == [SCHEMA_DN.encode()]
    assert found["ldapServiceName"] == [b"example.com:dc1$@EXAMPLE.COM"]
    assert found["dsServiceName"][0].startswith(b"CN=NTDS Settings,CN=DC1,")
    assert found["supportedLDAPVersion"] == [b"3", b"2"]
    assert found["isGlobalCatalogReady"] == [b"TRUE"]
    assert {b"1.2.840.113556.1.4.800", b"1.2.840.113556.1.4.1670"} <= set(found["supportedCapabilities"])
    assert found["currentTime"] == [b"20220618042640.0Z"]


def test_names_in_any_case_and_nothing_for_unknown_ones(sqlite_forest: KitForest) -> None:
    assert read(sqlite_forest, "DEFAULTNAMINGCONTEXT", "nonsense", "2.5.4.3") == {
        "defaultNamingContext": [DOMAIN_DN.encode()]
    }


def test_operational_attributes_when_named(sqlite_forest: KitForest) -> None:
    found = read(sqlite_forest, "dsSchemaAttrCount", "msDS-PortLDAP", "supportedExtension", "validFSMOs")
    assert found["dsSchemaAttrCount"] == [b"%d" % len(sqlite_forest.schema.attributes)]
    assert found["msDS-PortLDAP"] == [b"389"]
    assert b"1.3.6.1.4.1.1466.20037" in found["supportedExtension"]
    assert "validFSMOs" not in found, "no role here names this DC"


def test_who_asks(sqlite_forest: KitForest) -> None:
    alice = sqlite_forest.token(f"CN=alice,{USERS_DN}")
    assert read(sqlite_forest, "msDS-PrincipalName", who=alice) == {"msDS-PrincipalName": [b"EXAMPLE\\alice"]}
    assert read(sqlite_forest, "msDS-PrincipalName") == {
        "msDS-PrincipalName": [b"NT AUTHORITY\\ANONYMOUS LOGON"]
    }
    assert set(read(sqlite_forest, "tokenGroups", who=alice)["tokenGroups"]) == {
        bytes(sid) for sid in alice.sids
    }


def test_the_version_is_for_administrators_only(sqlite_forest: KitForest) -> None:
    admin = sqlite_forest.token(f"CN=Administrator,{USERS_DN}")
    alice = sqlite_forest.token(f"CN=alice,{USERS_DN}")
    assert "dsaVersionString" in read(sqlite_forest, "dsaVersionString", who=admin)
    assert read(sqlite_forest, "dsaVersionString", who=alice) == {}
    assert read(sqlite_forest, "dsaVersionString") == {}


def test_the_usn_follows_commits(sqlite_forest: KitForest) -> None:
    before = int(read(sqlite_forest, "highestCommittedUSN", who=SYSTEM)["highestCommittedUSN"][0])
    sqlite_forest.build(lambda b: b.add(f"CN=x,{DOMAIN_DN}", "container"))
    after = int(read(sqlite_forest, "highestCommittedUSN", who=SYSTEM)["highestCommittedUSN"][0])
    assert after > before
