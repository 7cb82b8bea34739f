"""Each broken invariant of SYSVOL and of policies is found, and mended where that is safe."""

from collections.abc import Callable

import pytest

from addc.directory import gpo_links, gpo_objects, names, rights, sysvol, sysvol_paths
from addc.directory.check_sysvol import POLICY_RULES, SYSVOL_RULES
from addc.directory.context import ReadContext, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.directory.gpo_links import Link
from addc.directory.gpo_objects import DEFAULT_DOMAIN_POLICY, Policy
from addc.security import sddl
from addc.store import files
from addc.store.files import FileRow
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN

RULES = {rule.name: rule for rule in SYSVOL_RULES}
POLICY_DN = f"CN={DEFAULT_DOMAIN_POLICY},CN=Policies,CN=System,{DOMAIN_DN}"


def _policy(ctx: ReadContext) -> Policy:
    return gpo_objects.find(ctx, DEFAULT_DOMAIN_POLICY)


def _folder(ctx: ReadContext) -> FileRow:
    folder = gpo_objects.folder(ctx, _policy(ctx))
    assert folder is not None
    return folder


def _template(ctx: ReadContext) -> tuple[str, ...]:
    return (*_policy(ctx).path, *gpo_objects.TEMPLATE)


def _break_rows(ctx: WriteContext) -> None:
    row = _folder(ctx)
    files.update_row(ctx.tx, row._replace(parent=1 << 40, key=b"elsewhere", sd_id=77))


def _break_descriptor(ctx: WriteContext) -> None:
    sid = ctx.forest.domain_sid
    sysvol.set_descriptor(ctx, _folder(ctx).node, sddl.parse("O:BAG:BAD:P(A;OICI;FA;;;WD)", sid, sid))


def _break_links(ctx: WriteContext) -> None:
    place = names.resolve(ctx, DOMAIN_DN)
    held = [*gpo_links.links_of(place), Link(f"CN={{X}},{DOMAIN_DN}")]
    gpo_objects.set_links(ctx, place, held)


BREAKS: dict[str, Callable[[WriteContext], object]] = {
    "file-content": lambda ctx: ctx.tx.set_state(files.FILES_STATE, bytes(16)),
    "file-rows": _break_rows,
    "gpo-folder": lambda ctx: sysvol_paths.remove_tree(ctx, _folder(ctx)),
    "gpo-version": lambda ctx: gpo_objects.write_version(ctx, _policy(ctx), 0x2_0001),
    "gpo-descriptor": _break_descriptor,
    "gpo-links": _break_links,
}
REPORTED: dict[str, Callable[[WriteContext], object]] = {
    "gpo-object": lambda ctx: delete_object(
        ctx, gpo_objects.create(ctx, "lost").dn, RequestOptions(tree_delete=True)
    ),
    "gpo-template": lambda ctx: sysvol_paths.put_file(ctx, _template(ctx), b"not a template"),
}


def _told(corp: Corp, rule: str) -> list[str]:
    return [detail for _, detail in corp.read(lambda ctx: list(RULES[rule].find(ctx)))]


def test_every_rule_is_tested() -> None:
    assert set(BREAKS) | set(REPORTED) == set(RULES)
    assert {rule.name for rule in SYSVOL_RULES if rule.mend is not None} == set(BREAKS)
    assert len(POLICY_RULES) == 6


def test_a_new_forest_is_sound(corp: Corp) -> None:
    for name in RULES:
        assert _told(corp, name) == []


@pytest.mark.parametrize("rule", BREAKS)
def test_what_is_broken_is_found_and_mended(corp: Corp, rule: str) -> None:
    corp.write(BREAKS[rule])
    assert _told(corp, rule) != []
    mend = RULES[rule].mend
    assert mend is not None
    corp.write(mend)
    assert _told(corp, rule) == []


@pytest.mark.parametrize("rule", REPORTED)
def test_what_needs_a_person_is_found(corp: Corp, rule: str) -> None:
    corp.write(REPORTED[rule])
    assert len(_told(corp, rule)) == 1


def test_a_mended_version_is_higher_than_either_half(corp: Corp) -> None:
    """Clients read again what they may have missed. Spec: [MS-GPOL] 2.2.4."""
    corp.write(BREAKS["gpo-version"])
    mend = RULES["gpo-version"].mend
    assert mend is not None
    corp.write(mend)
    assert corp.text(POLICY_DN, "versionNumber") == str(0x2_0003)
    assert corp.read(lambda ctx: gpo_objects.file_version(ctx, _policy(ctx))) == 0x2_0003


def test_a_folder_follows_its_object_when_that_lets_others_in(corp: Corp) -> None:
    def work(ctx: ReadContext) -> bytes:
        row = names.resolve(ctx, POLICY_DN)
        sid = ctx.forest.domain_sid
        text = sddl.format(rights.descriptor(ctx, row), sid, sid)
        return sddl.parse(text.replace("(A;CI", "(A;CI;RPLCLORC;;;DU)(A;CI", 1), sid, sid).pack()

    corp.modify(POLICY_DN, replace_values("nTSecurityDescriptor", corp.read(work)))
    assert len(_told(corp, "gpo-descriptor")) == 1
    mend = RULES["gpo-descriptor"].mend
    assert mend is not None
    corp.write(mend)

    def after(ctx: ReadContext) -> str:
        sid = ctx.forest.domain_sid
        return sddl.format(sysvol.descriptor(ctx, _folder(ctx).node), sid, sid)

    assert "(A;OICI;0x1200a9;;;DU)" in corp.read(after)
    assert _told(corp, "gpo-descriptor") == []
