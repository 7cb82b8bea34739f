"""SYSVOL of a new forest, and of one that an earlier version made.

Spec: [MS-GPOL] 2.2.4, 3.3.5.1, [MS-GPSB] 2.2.
"""

from collections.abc import Iterator

from addc.codec.inf_file import InfFile
from addc.directory import gpo_apply, gpo_objects, kerberos_policy, sysvol, sysvol_paths
from addc.directory.context import ReadContext, WriteContext
from addc.directory.gpo_objects import DEFAULT_DOMAIN_POLICY, TEMPLATE
from addc.directory.kerberos_policy import KerberosPolicy
from addc.provision.sysvol import step
from addc.security import sddl
from addc.security.token import SYSTEM
from addc.store import files
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN, corp_plan

TREE = "corp.example.com"


def _tree(ctx: ReadContext) -> Iterator[tuple[str, str]]:
    """Paths and descriptors."""
    root, sid = sysvol.root(ctx), ctx.forest.domain_sid
    assert root is not None
    for path, row in sysvol_paths.walk(ctx, root):
        yield "/".join(path), sddl.format(sysvol.descriptor(ctx, row.node), sid, sid)


def _older(corp: Corp) -> None:
    """As the last version left it: no files at all."""

    def work(ctx: WriteContext) -> None:
        root = sysvol.root(ctx)
        assert root is not None
        for _, row in reversed(list(sysvol_paths.walk(ctx, root))):
            files.cut(ctx.tx, row.node, 0)
            files.forget(ctx.tx, row.node)

    corp.write(work)
    assert corp.read(sysvol.root) is None


def test_a_new_forest_has_what_was_planned(corp: Corp) -> None:
    planned = {one.path for one in corp_plan().files}
    assert {path for path, _ in corp.read(lambda ctx: list(_tree(ctx)))} == planned


def test_descriptors_are_those_of_a_windows_dc(corp: Corp) -> None:
    found = dict(corp.read(lambda ctx: list(_tree(ctx))))
    readers = "(A;OICI;0x1200a9;;;SO)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;AU)"
    assert found[""] == f"O:LAG:BAD:P(A;OICI;FA;;;BA){readers}"
    assert found[f"{TREE}/Policies"] == f"O:LAG:BAD:P(A;OICI;FA;;;BA){readers}(A;OICI;0x1301bf;;;PA)"
    assert found[f"{TREE}/scripts"] == "O:LAG:BAD:AI(A;OICIID;FA;;;BA)" + readers.replace("OICI", "OICIID")
    policy = found[f"{TREE}/Policies/{DEFAULT_DOMAIN_POLICY}"]
    assert policy.startswith("O:DAG:DAD:P") and "(A;OICI;0x1200a9;;;AU)" in policy
    assert "(A;OICIIO;FA;;;CO)" in policy and "OA;" not in policy


def test_an_older_forest_gets_its_tree_once(corp: Corp) -> None:
    before = corp.read(lambda ctx: list(_tree(ctx)))
    _older(corp)
    assert corp.write(step) is False
    assert corp.read(lambda ctx: list(_tree(ctx))) == before
    usn = corp.read(lambda ctx: ctx.tx.usn)
    assert corp.write(step) is False
    assert corp.read(lambda ctx: ctx.tx.usn) == usn


def test_what_an_older_forest_had_set_stays_in_force(corp: Corp) -> None:
    """Passwords, lockout and tickets as they are come into the template, not the other way round."""
    _older(corp)
    corp.modify(DOMAIN_DN, replace_values("minPwdLength", "11"), replace_values("lockoutThreshold", "3"))
    corp.write(lambda ctx: kerberos_policy.write(ctx, KerberosPolicy(max_renew_age_d=30)))
    corp.write(step)

    def template(ctx: ReadContext) -> InfFile:
        policy = gpo_objects.find(ctx, DEFAULT_DOMAIN_POLICY)
        return InfFile.unpack(sysvol_paths.get_file(ctx, (*policy.path, *TEMPLATE)) or b"")

    said = corp.read(template)
    assert said.get("System Access", "MinimumPasswordLength") == "11"
    assert said.get("System Access", "LockoutDuration") == "30"
    assert said.get("Kerberos Policy", "MaxRenewAge") == "30"
    usn = corp.row(DOMAIN_DN).usn_changed
    corp.later(10)
    corp.write(gpo_apply.step)
    assert corp.row(DOMAIN_DN).usn_changed == usn
    assert corp.read(kerberos_policy.read) == KerberosPolicy(max_renew_age_d=30)


def test_policies_that_were_made_without_a_folder_get_one(corp: Corp) -> None:
    _older(corp)
    name = "{0D5A4E7A-5C0F-4A2B-9A53-3A3D6E1B0C11}"
    dn = f"CN={name},CN=Policies,CN=System,{DOMAIN_DN}"
    values = {"displayName": "By hand", "versionNumber": "65538"}
    corp.add(dn, "groupPolicyContainer", SYSTEM, values=values)
    corp.write(step)

    def work(ctx: ReadContext) -> int | None:
        return gpo_objects.file_version(ctx, gpo_objects.find(ctx, "By hand"))

    assert corp.read(work) == 65538
