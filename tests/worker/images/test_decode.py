import csv
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.worker.images.conftest import jpeg_bytes
from worker.images.decode import MAX_PIXELS, Photo, Quarantined, Refused, decode, sniff


def verdict(path: Path) -> str:
    try:
        decode(path)
    except Refused:
        return "refuse"
    except Quarantined:
        return "quarantine"
    return "accept"


@pytest.mark.photos
def test_every_bad_file_gets_the_verdict_of_the_list(bad_files):
    rows = list(csv.DictReader((bad_files / "expected.csv").open(encoding="utf-8")))
    assert len(rows) == 136
    assert {row["file"]: verdict(bad_files / row["file"]) for row in rows} == {r["file"]: r["expected"] for r in rows}


@pytest.mark.photos
def test_the_odd_copies_of_the_elephants_get_their_verdicts(camera_trap):
    odd = camera_trap / "speciesnet" / "odd"
    for row in csv.DictReader((odd / "odd.csv").open(encoding="utf-8")):
        assert verdict(odd / row["file"]) == row["expected"], row["file"]


@pytest.mark.photos
def test_all_eight_orientations_of_one_photo_come_out_the_same_way_up(bad_files):
    first = decode(bad_files / "orientation_1.jpg").pixels.astype(int)
    for orientation in range(2, 9):
        turned = decode(bad_files / f"orientation_{orientation}.jpg")
        assert turned.facts.orientation == orientation
        misses = [np.abs(turn(turned.pixels) - first).mean() for turn in (STORED[1], STORED[2], STORED[3], STORED[4])]
        assert np.argmin(misses) == 0 and misses[0] < misses[1] / 2, orientation  # the copies differ in fine grain


@pytest.mark.photos
def test_the_first_picture_of_an_mpo_is_the_photo(bad_files):
    photo = decode(bad_files / "mpo_named_jpg.jpg")
    assert (photo.format, photo.width, photo.height) == ("JPEG", 56, 70)


# How EXIF stores an upright picture under each orientation, written as plain array turns (not with Pillow's own).
STORED = {
    1: lambda up: up,
    2: lambda up: up[:, ::-1],
    3: lambda up: up[::-1, ::-1],
    4: lambda up: up[::-1],
    5: lambda up: up.transpose(1, 0, 2),
    6: lambda up: np.rot90(up, 1),
    7: lambda up: up[::-1, ::-1].transpose(1, 0, 2),
    8: lambda up: np.rot90(up, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_pixels_are_upright_for_each_orientation_to_the_last_pixel(orientation, noise, saved):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(np.ascontiguousarray(STORED[orientation](noise)), "turned.png", exif=exif)
    photo = decode(path)
    assert np.array_equal(photo.pixels, noise)
    assert (photo.width, photo.height) == (60, 40)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_leaves_the_photo_as_stored(orientation, noise, saved):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decode(saved(noise, "odd.png", exif=exif)).pixels, noise)


def test_a_photo_decodes_from_bytes_as_from_its_path(noise, saved):
    path = saved(noise, "a.jpg")
    from_path, from_bytes = decode(path), decode(path.read_bytes())
    assert isinstance(from_path, Photo) and from_path.pixels.shape == (40, 60, 3) and from_path.pixels.dtype == np.uint8
    assert np.array_equal(from_path.pixels, from_bytes.pixels)


def test_tall_photos_are_converted_strip_by_strip_without_a_seam(saved):
    rows = np.arange(700, dtype=np.uint16).astype(np.uint8)
    grey = np.repeat(rows[:, None], 3, axis=1)
    assert np.array_equal(decode(saved(grey, "tall.png")).pixels, np.repeat(grey[:, :, None], 3, axis=2))


def test_sixteen_bit_grey_is_scaled_and_not_clipped(saved):
    stored = np.array([[0, 257, 32768, 65535]], np.uint16)
    assert decode(saved(stored, "deep.png")).pixels[0, :, 0].tolist() == [0, 1, 128, 255]


def test_see_through_pixels_lie_on_white(saved):
    rgba = np.array([[[200, 0, 0, 255], [200, 0, 0, 0], [0, 0, 0, 128]]], np.uint8)
    assert decode(saved(rgba, "alpha.png")).pixels[0].tolist() == [[200, 0, 0], [255, 255, 255], [127, 127, 127]]


def test_palette_one_bit_and_grey_pictures_become_rgb(noise, saved):
    palette = Image.fromarray(noise).quantize(16)
    assert np.array_equal(decode(saved(palette, "p.png")).pixels, np.asarray(palette.convert("RGB")))
    bits = Image.fromarray(noise).convert("1")
    assert set(np.unique(decode(saved(bits, "1.png")).pixels)) == {0, 255}
    grey = decode(saved(noise[:, :, 0].copy(), "l.png")).pixels
    assert np.array_equal(grey, np.repeat(noise[:, :, :1], 3, axis=2))


def test_cmyk_becomes_rgb(saved):
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert decode(saved(red, "cmyk.jpg")).pixels[8, 8].tolist() == pytest.approx([254, 0, 0], abs=3)


@pytest.mark.parametrize("share", [0.02, 0.25, 0.5, 0.9, 0.99])
def test_a_cut_copy_is_quarantined_and_never_silently_grey(share):
    whole = jpeg_bytes(np.random.default_rng(2).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    with pytest.raises(Quarantined):
        decode(whole[: int(len(whole) * share)])


def test_reasons_are_words_that_an_ecologist_understands():
    whole = jpeg_bytes(np.zeros((99, 99, 3), np.uint8))
    reasons = {
        b"": "the file is empty",
        b"%PDF-1.7 etc": "not a JPEG or PNG photo (it begins like a PDF)",
        b"\0" * 4096: "not a photo (it begins with zeros: the card lost its content)",
        b"\0\0\0\x18ftypmp42": "not a JPEG or PNG photo (it begins like an MP4 or MOV video)",
        b"hello": "not a JPEG or PNG photo",
        whole[:-30]: "ends too early: the copy from the card was cut",
    }
    for content, reason in reasons.items():
        with pytest.raises((Refused, Quarantined)) as caught:
            decode(content)
        assert caught.value.reason == reason


def test_too_many_pixels_are_refused_by_the_header_alone():
    side = int(MAX_PIXELS**0.5) + 1
    body = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    header_only = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    with pytest.raises(Refused, match="million pixels"):
        decode(header_only + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))


def test_an_animated_png_is_refused(noise, saved):
    path = saved(noise, "moving.png", save_all=True, append_images=[Image.fromarray(255 - noise)])
    with pytest.raises(Refused, match="animated"):
        decode(path)


def test_a_disk_error_is_not_blamed_on_the_photo(tmp_path):
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "gone.jpg")


def test_sniff_goes_by_the_first_bytes_and_nothing_else():
    assert sniff(b"\xff\xd8\xff\xe0") == "JPEG"
    assert sniff(b"\x89PNG\r\n\x1a\n") == "PNG"
    assert [sniff(start) for start in (b"", b"\xff\xd8", b"\x89PNG", b"GIF89a", b" \xff\xd8\xff")] == [None] * 5
