"""The ZIP door: honest archives come in whole, hostile ones are refused by name and reason."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile

import pytest

from catalog.archives import ArchiveLimits, RejectedArchive, open_archive, safe_name

pytestmark = pytest.mark.pure


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def refused(data: bytes, limits: ArchiveLimits | None = None) -> str:
    with pytest.raises(RejectedArchive) as refusal:
        list(open_archive(data, limits=limits or ArchiveLimits()))
    assert str(refusal.value)
    return refusal.value.code


def test_members_come_in_order_from_bytes_path_or_file(tmp_path):
    members = [("shop/products.csv", b"sku\n1\n"), ("shop/花瓶.jpg", b"\xff\xd8")]
    data = zipped(*members)
    (tmp_path / "shop.zip").write_bytes(data)
    assert list(open_archive(data)) == members
    assert list(open_archive(io.BytesIO(data))) == members
    with open_archive(tmp_path / "shop.zip") as archive:
        assert archive.names == ["shop/products.csv", "shop/花瓶.jpg"]
        assert list(archive) == list(archive) == members


def test_folders_and_a_systems_litter_are_passed_over():
    data = zipped(
        ("a/", b""), ("__MACOSX/a/._v.jpg", b"x"), ("a/.DS_Store", b"x"), ("a/Thumbs.db", b"x"), ("a/v.jpg", b"v")
    )
    assert list(open_archive(data)) == [("a/v.jpg", b"v")]


def test_an_empty_zip_is_empty():
    assert list(open_archive(zipped())) == []


def test_names_in_gbk_are_read():
    """Chinese Windows packs without saying in which encoding its names are."""
    raw = "花瓶.jpg".encode("gbk")
    placeholder = "x" * len(raw)
    assert open_archive(zipped((placeholder, b"v")).replace(placeholder.encode(), raw)).names == ["花瓶.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        "../up.jpg",
        "a/../../up.jpg",
        "/etc/passwd",
        "\\windows\\x",
        "..\\up.jpg",
        "C:/x.jpg",
        "a//b.jpg",
        "a\x1b[2J.jpg",
    ],
)
def test_a_name_that_points_elsewhere_is_refused(name):
    entry = zipfile.ZipInfo("x")
    entry.filename = name
    assert refused(zipped((entry, b"v"))) == "archive-name"


def test_a_name_with_a_hidden_end_is_refused():
    assert refused(zipped(("v.jpgXevil", b"v")).replace(b"v.jpgX", b"v.jpg\0")) == "archive-name"


def test_a_name_is_turned_into_a_label():
    assert safe_name("a\\b/c.jpg") == "a/b/c.jpg"
    assert safe_name("./c.jpg") == "c.jpg"
    assert safe_name("vase\u202egpj.exe") is None  # shows as vaseexe.jpg
    assert safe_name("x" * 1_001) is None


def test_names_that_some_systems_take_for_the_same_are_refused():
    assert refused(zipped(("Vase.jpg", b"1"), ("vase.JPG", b"2"))) == "archive-twice"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(kind):
    entry = zipfile.ZipInfo("vase.jpg")
    entry.external_attr = (kind | 0o777) << 16
    assert refused(zipped((entry, b"/etc/passwd"))) == "archive-link"


def test_too_many_members_are_refused_before_any_is_read():
    assert refused(zipped(*[(f"{n}", b"") for n in range(1_001)])) == "archive-too-many-entries"
    assert len(open_archive(zipped(*[(f"{n}", b"") for n in range(1_000)])).names) == 1_000


def test_a_bomb_is_refused_by_its_ratio():
    assert refused(zipped(("bomb.csv", b"0" * 20_000_000))) == "archive-bomb"


def test_a_bomb_that_hides_its_size_is_cut_off():
    """The directory says that 20 MB are 10 bytes: what is read stays within what was said, and does not fit its sum."""
    data = zipped(("bomb.csv", b"0" * 20_000_000))
    assert refused(data.replace(struct.pack("<L", 20_000_000), struct.pack("<L", 10))) == "archive-damaged"


def test_bytes_are_counted_over_all_members():
    noise = random.Random(1).randbytes(60_000)
    limits = ArchiveLimits(most_unpacked_bytes=150_000)
    assert refused(zipped(("1", noise), ("2", noise), ("3", noise)), limits) == "archive-too-large"
    assert refused(zipped(("1", noise)), ArchiveLimits(most_member_bytes=50_000)) == "archive-member-too-large"
    assert refused(zipped(("1", noise)), ArchiveLimits(most_packed_bytes=50_000)) == "archive-too-large"


def test_members_that_share_bytes_are_refused():
    """A bomb without nesting: many entries of the directory point to the same packed bytes."""
    data = zipped(("a.csv", b"0" * 900_000), ("b.csv", b"1"))
    second = data.rindex(b"PK\1\2")
    shared = bytearray(data)
    shared[second + 42 : second + 46] = struct.pack("<L", 0)
    assert refused(bytes(shared)) == "archive-damaged"


def test_an_archive_within_an_archive_is_refused_but_for_a_workbook():
    inner = zipped(("v.jpg", b"v"))
    assert refused(zipped(("more.zip", inner))) == "archive-nested"
    assert refused(zipped(("vase.jpg", inner))) == "archive-nested"
    assert refused(zipped(("vase.jpg", b"\x1f\x8b\x08\0"))) == "archive-nested"
    assert list(open_archive(zipped(("products.xlsx", inner)))) == [("products.xlsx", inner)]


def test_encryption_and_odd_methods_are_refused():
    data = bytearray(zipped(("v.jpg", b"v")))
    data[data.rindex(b"PK\1\2") + 8] |= 1
    assert refused(bytes(data)) == "archive-encrypted"
    assert refused(zipped(("v.jpg", b"v" * 99), method=zipfile.ZIP_LZMA)) == "archive-method"
    assert refused(zipped(("v.jpg", b"v" * 99), method=zipfile.ZIP_BZIP2)) == "archive-method"


def test_64_bit_fields_are_refused():
    data = bytearray(zipped(("v.jpg", b"v")))
    end = data.rindex(b"PK\5\6")
    data[end + 16 : end + 20] = b"\xff" * 4
    assert refused(bytes(data)) == "archive-too-large"


def test_a_directory_that_lies_is_refused():
    data = zipped(("v.jpg", b"v"))
    end = data.rindex(b"PK\5\6")
    for place, value in ((8, 0), (10, 7), (12, 10**6), (16, 3)):
        lying = bytearray(data)
        lying[end + place : end + place + 2] = struct.pack("<H", value & 0xFFFF)
        assert refused(bytes(lying)) == "archive-damaged"


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\3\4", b"\xff\xd8\xff" + zipped(("v", b"v")), b"PK\3\4" + b"\0" * 99])
def test_what_is_no_zip_is_refused(data):
    assert refused(data) in {"archive-unknown", "archive-damaged"}


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RejectedArchive):
        open_archive(tmp_path / "none.zip")


def test_damage_anywhere_is_a_refusal_or_nothing():
    whole = zipped(("products.csv", b"sku,name\n1,Vase\n" * 50), ("v.jpg", random.Random(2).randbytes(500)))
    chance = random.Random(3)
    refusals = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        try:
            list(open_archive(bytes(data)))
        except RejectedArchive:
            refusals += 1
    assert refusals > 100
