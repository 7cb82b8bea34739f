"""The information classes of files and volumes ([MS-FSCC] 2.4, 2.5), byte for byte."""

from addc.smb import fscc
from addc.smb.fscc import FileInfo


def test_sizes_are_the_documents() -> None:
    assert fscc.BasicInformation.fixed_size() == 40
    assert fscc.StandardInformation.fixed_size() == 24
    assert fscc.AllInformation.fixed_size() == 100
    assert fscc.NetworkOpenInformation.fixed_size() == 56
    assert fscc.StreamInformation.fixed_size() == 24
    assert fscc.FsVolumeInformation.fixed_size() == 18
    assert fscc.FsAttributeInformation.fixed_size() == 12
    assert fscc.FsControlInformation.fixed_size() == 48
    assert fscc.FsSectorSizeInformation.fixed_size() == 28
    assert fscc.RenameInformation.fixed_size() == 20


def test_names_in_entries_begin_where_the_documents_say() -> None:
    facts = (1, 2, 3, 4, 5, 6, 7, "n")
    assert fscc.DirectoryEntry(*facts).pack().index(b"n\0") == 64
    assert fscc.FullDirectoryEntry(*facts, 0).pack().index(b"n\0") == 68
    assert fscc.IdFullDirectoryEntry(*facts, 0, 9).pack().index(b"n\0") == 80
    assert fscc.BothDirectoryEntry(*facts, 0).pack().index(b"n\0") == 94
    assert fscc.IdBothDirectoryEntry(*facts, 0, 9).pack().index(b"n\0") == 104
    assert fscc.NamesEntry("n").pack().index(b"n\0") == 12


def test_extended_ids_have_their_lengths() -> None:
    lengths = {
        FileInfo.ID_EXTD_DIRECTORY: 16,
        FileInfo.ID_64_EXTD_DIRECTORY: 8,
        FileInfo.ID_64_EXTD_BOTH_DIRECTORY: 34,
        FileInfo.ID_ALL_EXTD_DIRECTORY: 24,
        FileInfo.ID_ALL_EXTD_BOTH_DIRECTORY: 50,
    }
    assert {kind: len(fscc.extended_ids(kind, 7)) for kind in lengths} == lengths


def test_a_rename_is_read() -> None:
    asked = fscc.RenameInformation.unpack(b"\x01" + bytes(15) + b"\x02\0\0\0" + b"n\0" + bytes(2))
    assert (asked.flags, asked.root_directory, asked.file_name) == (1, 0, "n")
