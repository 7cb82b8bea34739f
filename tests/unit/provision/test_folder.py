"""A data folder appears whole or not at all."""

import json
import os
from pathlib import Path

import pytest

from addc.base.errors import UserError
from addc.provision import folder as folders


def _fill(folder: folders.NewFolder) -> None:
    folder.write("secret", b"s", folders.PRIVATE)
    folder.write("deep/er/file", b"f")
    folder.write("config.json", b"{}")


def _names(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


@pytest.mark.parametrize("exists", [False, True])
def test_a_committed_folder_is_in_its_place_with_its_modes(tmp_path: Path, exists: bool) -> None:
    place = tmp_path / "forest"
    if exists:
        place.mkdir()
    with folders.new_folder(place) as folder:
        _fill(folder)
        assert not place.exists() or not os.listdir(place)
        folder.commit("config.json")
    assert _names(place) == ["config.json", "deep/er/file", "secret"]
    assert (place / "secret").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["forest"]


def test_missing_parents_are_made(tmp_path: Path) -> None:
    with folders.new_folder(tmp_path / "a" / "b") as folder:
        _fill(folder)
        folder.commit("config.json")
    assert (tmp_path / "a" / "b" / "config.json").exists()


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_an_interrupted_folder_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    place = tmp_path / "forest"
    with pytest.raises(failure), folders.new_folder(place) as folder:
        _fill(folder)
        raise failure
    assert os.listdir(tmp_path) == []


def test_a_folder_that_holds_something_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UserError, match="will not be overwritten"), folders.new_folder(tmp_path):
        raise AssertionError("must not be reached")
    assert os.listdir(tmp_path) == ["mine"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UserError, match="not a folder"), folders.new_folder(tmp_path / "mine"):
        raise AssertionError("must not be reached")


def test_a_folder_that_cannot_be_replaced_is_filled_from_inside(tmp_path: Path) -> None:
    place = tmp_path / "volume"
    (place / "lost+found").mkdir(parents=True)
    with folders.new_folder(place) as folder:
        assert folder.path.parent == place
        _fill(folder)
        folder.commit("config.json")
    assert _names(place) == ["config.json", "deep/er/file", "secret"]
    assert sorted(os.listdir(place)) == ["config.json", "deep", "lost+found", "secret"]


def _killed_inside(place: Path, moved: tuple[str, ...]) -> None:
    """What a run leaves in a folder it cannot replace when it is killed after moving `moved`."""
    left = place / ".addc-new-x"
    left.mkdir(parents=True)
    names = ["secret", "deep", "config.json"]
    (left / ".moving").write_text(json.dumps(names))
    for name in names:
        ((place if name in moved else left) / name).write_text(name)


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    place = tmp_path / "volume"
    (place / "lost+found").mkdir(parents=True)
    _killed_inside(place, ("secret",))
    folders.refuse_if_taken(place)
    assert os.listdir(place) == ["lost+found"]


def test_a_run_killed_after_its_last_move_left_a_whole_forest(tmp_path: Path) -> None:
    place = tmp_path / "volume"
    _killed_inside(place, ("secret", "deep", "config.json"))
    with pytest.raises(UserError, match="will not be overwritten"):
        folders.refuse_if_taken(place)
    assert sorted(os.listdir(place)) == ["config.json", "deep", "secret"]


def test_a_run_under_way_is_not_swept(tmp_path: Path) -> None:
    with folders.new_folder(tmp_path / "one") as first:
        _fill(first)
        with folders.new_folder(tmp_path / "two") as second:
            _fill(second)
            second.commit("config.json")
        first.commit("config.json")
    assert sorted(os.listdir(tmp_path)) == ["one", "two"]
