"""Removing files: within the folder, as they were seen, through no link."""

import pytest

from s3magic.errors import LocalFault, UnsafeKey
from s3magic.transfer import removal
from s3magic.transfer.removal import remove


@pytest.fixture(params=["held", "named"])
def way(request, monkeypatch):
    """With folders held open, and as on systems that cannot."""
    if request.param == "named":
        monkeypatch.setattr(removal, "_HELD", False)
    elif not removal._HELD:
        pytest.skip("this system cannot hold folders open")


@pytest.fixture
def folder(tmp_path):
    """A folder with a file, and one outside that nothing may touch."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "f").write_bytes(b"12")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f").write_bytes(b"12")
    return tmp_path / "in"


def moment(path):
    return path.stat().st_mtime_ns // 1000


def test_a_file_goes_and_its_folder_stays(way, folder):
    """Again, it is gone already, which is as good."""
    path = folder / "deep" / "f"
    seen = moment(path)

    remove(str(folder), "deep/f", size=2, moment=seen)
    remove(str(folder), "deep/f", size=2, moment=seen)
    remove(str(folder), "nowhere/f", size=2, moment=None)

    assert not path.exists()
    assert path.parent.is_dir()


def test_a_file_that_changed_stays(way, folder):
    """In size or in time; without a known time the size alone tells."""
    path = folder / "deep" / "f"

    for size, seen in ((1, moment(path)), (2, moment(path) - 1), (3, None)):
        with pytest.raises(LocalFault, match="changed"):
            remove(str(folder), "deep/f", size=size, moment=seen)

    assert path.read_bytes() == b"12"
    remove(str(folder), "deep/f", size=2, moment=None)
    assert not path.exists()


def test_nothing_is_removed_through_a_link(way, folder):
    """Nor a link itself, nor a folder."""
    outside = folder.parent / "out" / "f"
    (folder / "link").symlink_to(folder.parent / "out")
    (folder / "file").symlink_to(outside)

    with pytest.raises(UnsafeKey, match="link"):
        remove(str(folder), "link/f", size=2, moment=moment(outside))
    with pytest.raises(LocalFault, match="no ordinary file"):
        remove(str(folder), "file", size=2, moment=None)
    with pytest.raises(LocalFault, match="no ordinary file"):
        remove(str(folder), "deep", size=2, moment=None)

    assert outside.read_bytes() == b"12"
    assert (folder / "file").is_symlink()


def test_a_link_above_the_folder_is_the_users_own(way, folder):
    """Whoever names it means what it leads to."""
    named = folder.parent / "named"
    named.symlink_to(folder)

    remove(str(named), "deep/f", size=2, moment=None)

    assert not (folder / "deep" / "f").exists()


@pytest.mark.parametrize("name", ["../out/f", "deep/../../out/f", "/abs", "", ".", "a//b"])
def test_a_name_that_leads_elsewhere_is_refused(way, folder, name):
    """Before anything is opened."""
    with pytest.raises(UnsafeKey):
        remove(str(folder), name, size=2, moment=None)

    assert (folder.parent / "out" / "f").exists()
