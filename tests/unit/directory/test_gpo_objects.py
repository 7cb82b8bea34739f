"""Group policies: object and folder are made, secured, linked and removed together.

Spec: [MS-GPOL] 2.2.2, 2.2.4, 3.2.5.1.5, 3.3.5.1.
"""

import pytest

from addc.base.errors import DsError, UserError
from addc.directory import gpo_links, gpo_objects, gpo_security, names, rights, sysvol, sysvol_paths
from addc.directory.context import ReadContext
from addc.directory.gpo_links import ENFORCED, Link
from addc.directory.gpo_objects import Policy
from addc.security import sddl
from addc.security.descriptor import CONTAINER_INHERIT, INHERITED, OBJECT_INHERIT, Control
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN

OU = f"OU=Sales,{DOMAIN_DN}"


def _policy(corp: Corp, name: str) -> Policy:
    return corp.read(lambda ctx: gpo_objects.find(ctx, name))


def _linked(corp: Corp, dn: str) -> list[tuple[str, int]]:
    def work(ctx: ReadContext) -> list[tuple[str, int]]:
        links = gpo_links.links_of(names.resolve(ctx, dn))
        rows = [gpo_objects.of_row(ctx, names.resolve(ctx, one.dn)) for one in links]
        return [(row.display_name, one.options) for row, one in zip(rows, links, strict=True)]

    return corp.read(work)


def test_the_default_policies_have_their_folders(corp: Corp) -> None:
    """Both are there with file version, template, and the descriptor that the object asks for."""

    def work(ctx: ReadContext) -> None:
        for policy in gpo_objects.every(ctx):
            folder = gpo_objects.folder(ctx, policy)
            assert folder is not None
            assert gpo_objects.file_version(ctx, policy) == policy.version
            found = sysvol.descriptor(ctx, folder.node)
            assert gpo_security.is_in_step(rights.descriptor(ctx, policy.row), found)
            assert sysvol_paths.get_file(ctx, (*policy.path, *gpo_objects.TEMPLATE)) is not None
            assert found.control & Control.PD
        assert len(list(gpo_objects.every(ctx))) == 2

    corp.read(work)


def test_what_lies_in_a_policy_inherits_from_its_folder(corp: Corp) -> None:
    def work(ctx: ReadContext) -> None:
        policy = gpo_objects.find(ctx, gpo_objects.DEFAULT_DOMAIN_POLICY)
        folder = gpo_objects.folder(ctx, policy)
        row = sysvol.resolve(ctx, (*policy.path, gpo_objects.GPT_INI))
        assert folder is not None
        above, own = sysvol.descriptor(ctx, folder.node), sysvol.descriptor(ctx, row.node)
        assert own.dacl is not None and above.dacl is not None
        assert all(ace.flags & INHERITED for ace in own.dacl.aces)
        assert (own.owner, own.group) == (above.owner, above.group)
        wanted = {(ace.sid, ace.mask) for ace in above.dacl.aces if not ace.flags & 8}
        assert {(ace.sid, ace.mask) for ace in own.dacl.aces} >= wanted

    corp.read(work)


def test_rights_on_objects_become_rights_on_files() -> None:
    made = gpo_security.folder_descriptor(
        sddl.parse(
            "O:DAG:DAD:PAI(A;CI;RPWPCCDCLCLOLORCWOWDSDDTSW;;;DA)(A;CIIO;RPLCLORC;;;CO)(A;CI;RPLCLORC;;;AU)"
            "(OA;CI;CR;edacfd8f-ffb3-11d1-b41d-00a0c968f939;;AU)(A;CI;RPLCLORC;;;RU)(D;;WP;;;BG)"
            "S:AI(AU;CISA;WP;;;WD)",
            *[names_sid] * 2,
        )
    )
    assert sddl.format(made, names_sid, names_sid) == (
        "O:DAG:DAD:PAI(A;OICI;FA;;;DA)(A;OICIIO;0x1200a9;;;CO)(A;OICI;0x1200a9;;;AU)(D;OICI;0x100116;;;BG)"
    )


names_sid = sddl.parse_sid("S-1-5-21-1-2-3")


def test_a_new_policy_is_an_object_and_a_folder(corp: Corp) -> None:
    made = corp.write(lambda ctx: gpo_objects.create(ctx, "Sales policy"))
    assert made.name in made.dn and made.path[-1] == made.name

    def work(ctx: ReadContext) -> None:
        assert gpo_objects.find(ctx, "SALES POLICY").row.dnt == made.row.dnt
        assert gpo_objects.find(ctx, made.name.strip("{}").lower()).row.dnt == made.row.dnt
        folder = gpo_objects.folder(ctx, made)
        assert folder is not None
        held = [sysvol.name_of(row) for row in sysvol.children(ctx, folder.node)]
        assert held == ["GPT.INI", "MACHINE", "USER"]
        assert gpo_objects.file_version(ctx, made) == 0
        sd = rights.descriptor(ctx, made.row)
        assert sd.owner == ctx.forest.domain_sid.child(512)
        assert gpo_security.is_in_step(sd, sysvol.descriptor(ctx, folder.node))
        aces = sysvol.descriptor(ctx, folder.node).dacl
        assert aces is not None
        assert all(ace.flags & (OBJECT_INHERIT | CONTAINER_INHERIT) == 3 for ace in aces.aces)
        for part in ("Machine", "User"):
            names.resolve(ctx, f"CN={part},{made.dn}")

    corp.read(work)


def test_a_name_is_given_to_one_policy(corp: Corp) -> None:
    with pytest.raises(UserError):
        corp.write(lambda ctx: gpo_objects.create(ctx, "default domain policy"))
    with pytest.raises(UserError):
        corp.read(lambda ctx: gpo_objects.find(ctx, "no such policy"))


def test_links_are_kept_in_order_and_lifted(corp: Corp) -> None:
    corp.add(OU, "organizationalUnit")
    for name in ("one", "two"):
        corp.write(lambda ctx, name=name: gpo_objects.create(ctx, name))  # type: ignore[misc]
        corp.write(lambda ctx, name=name: gpo_objects.link(ctx, gpo_objects.find(ctx, name), OU))  # type: ignore[misc]
    assert _linked(corp, OU) == [("one", 0), ("two", 0)]
    corp.write(lambda ctx: gpo_objects.link(ctx, gpo_objects.find(ctx, "one"), OU, options=ENFORCED))
    assert _linked(corp, OU) == [("one", 2), ("two", 0)]
    corp.write(lambda ctx: gpo_objects.unlink(ctx, gpo_objects.find(ctx, "one"), OU))
    assert _linked(corp, OU) == [("two", 0)]
    with pytest.raises(DsError):
        corp.write(lambda ctx: gpo_objects.unlink(ctx, gpo_objects.find(ctx, "one"), OU))


def test_deleting_takes_object_folder_and_links(corp: Corp) -> None:
    corp.add(OU, "organizationalUnit")
    made = corp.write(lambda ctx: gpo_objects.create(ctx, "gone"))
    corp.write(lambda ctx: sysvol_paths.put_file(ctx, (*made.path, "USER", "Registry.pol"), b"PReg"))
    corp.write(lambda ctx: gpo_objects.link(ctx, made, OU))
    assert corp.write(lambda ctx: gpo_objects.delete(ctx, _found(ctx, "gone"))) == [OU]
    assert _linked(corp, OU) == []
    assert corp.read(lambda ctx: sysvol.find(ctx, made.path)) is None
    with pytest.raises(UserError):
        _policy(corp, "gone")


def _found(ctx: ReadContext, name: str) -> Policy:
    return gpo_objects.find(ctx, name)


def test_the_default_policies_stay(corp: Corp) -> None:
    for name in (gpo_objects.DEFAULT_DOMAIN_POLICY, gpo_objects.DEFAULT_DC_POLICY):
        with pytest.raises(UserError):
            corp.write(lambda ctx, name=name: gpo_objects.delete(ctx, _found(ctx, name)))  # type: ignore[misc]
        assert corp.read(lambda ctx, name=name: gpo_objects.folder(ctx, _found(ctx, name)))  # type: ignore[misc]


def test_a_raised_version_stands_in_object_and_file(corp: Corp) -> None:
    policy = _policy(corp, gpo_objects.DEFAULT_DOMAIN_POLICY)
    assert corp.write(lambda ctx: gpo_objects.raise_version(ctx, policy)) == 4
    again = _policy(corp, gpo_objects.DEFAULT_DOMAIN_POLICY)
    assert again.version == 4
    assert corp.write(lambda ctx: gpo_objects.raise_version(ctx, again, machine=False)) == 0x10004
    assert corp.read(lambda ctx: gpo_objects.file_version(ctx, again)) == 0x10004


def test_text_of_links() -> None:
    text = "[LDAP://cn={A},cn=policies;0][ldap://CN={B},CN=Policies;2][LDAP://CN={C};1]"
    links = gpo_links.parse(text)
    assert links == [Link("cn={A},cn=policies"), Link("CN={B},CN=Policies", 2), Link("CN={C}", 1)]
    assert gpo_links.parse(gpo_links.render(links)) == links
    assert gpo_links.render([]) == " "
    assert gpo_links.parse(" ") == gpo_links.parse("") == gpo_links.parse("[LDAP://broken]") == []


def test_the_nearest_place_wins_unless_links_are_enforced(corp: Corp) -> None:
    """The order of application of 3.2.5.1.5: what comes last wins."""
    corp.add(OU, "organizationalUnit")
    for name, place, options in (
        ("d1", DOMAIN_DN, 0), ("d2", DOMAIN_DN, ENFORCED), ("d3", DOMAIN_DN, 1), ("o1", OU, 0), ("o2", OU, 0),
        ("o3", OU, ENFORCED),
    ):  # fmt: skip
        corp.write(lambda ctx, name=name: gpo_objects.create(ctx, name))  # type: ignore[misc]
        corp.write(
            lambda ctx, n=name, p=place, o=options: gpo_objects.link(ctx, _found(ctx, n), p, options=o)  # type: ignore[misc]
        )

    def order(ctx: ReadContext) -> list[str]:
        places = [names.resolve(ctx, DOMAIN_DN), names.resolve(ctx, OU)]
        return [gpo_objects.of_row(ctx, row).display_name for row in gpo_links.applied(ctx, places)]

    assert corp.read(order) == ["d1", "Default Domain Policy", "o2", "o1", "o3", "d2"]
    corp.modify(OU, replace_values("gPOptions", "1"))
    assert corp.read(order) == ["o2", "o1", "o3", "d2"]


def test_entries_that_give_nothing_do_not_put_a_folder_out_of_step() -> None:
    """Samba 4.17 carries the entry of Apply Group Policy over, without a right in it."""
    of_object = sddl.parse("O:DAG:DAD:P(A;CI;RPLCLORC;;;AU)(A;CI;GA;;;DA)", names_sid, names_sid)
    folder = sddl.format(gpo_security.folder_descriptor(of_object), names_sid, names_sid)
    more = sddl.parse(folder + "(OA;OICI;;edacfd8f-ffb3-11d1-b41d-00a0c968f939;;AU)", names_sid, names_sid)
    assert gpo_security.is_in_step(of_object, more)
    for other in (folder + "(A;OICI;FA;;;WD)", folder.replace("D:P", "D:"), folder.replace("O:DA", "O:BA")):
        assert not gpo_security.is_in_step(of_object, sddl.parse(other, names_sid, names_sid))
