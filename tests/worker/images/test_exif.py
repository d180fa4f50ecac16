import csv
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from tests.worker.images.conftest import jpeg_bytes
from worker.images.decode import decode
from worker.images.exif import MAX_TEXT, CameraFacts, camera_facts

PIXELS = np.full((8, 8, 3), 90, np.uint8)


def facts(root=None, details=None, gps=None) -> CameraFacts:
    """Write a JPEG with these tags and read them back."""
    exif = Image.Exif()
    exif.update(root or {})
    exif.get_ifd(0x8769).update(details or {})
    exif.get_ifd(0x8825).update(gps or {})
    return decode(jpeg_bytes(PIXELS, exif=exif)).facts


def test_moment_make_model_and_serial_are_read():
    assert facts(
        {0x010F: "RECONYX", 0x0110: "HYPERFIRE 2", 0x0132: "2001:01:01 00:00:00"},
        {0x9003: "2024:02:29 23:59:58", 0x9291: "25", 0xA431: "H500HG1234"},
    ) == CameraFacts(datetime(2024, 2, 29, 23, 59, 58), 0.25, "RECONYX", "HYPERFIRE 2", "H500HG1234")


def test_digitized_stands_in_for_a_missing_or_unset_original_and_the_edit_date_never_does():
    assert facts(details={0x9004: "2024:05:06 07:08:09"}).captured_at == datetime(2024, 5, 6, 7, 8, 9)
    unset = {0x9003: "0000:00:00 00:00:00", 0x9004: "2024:05:06 07:08:09"}
    assert facts(details=unset).captured_at == datetime(2024, 5, 6, 7, 8, 9)
    assert facts({0x0132: "2024:05:06 07:08:09"}).captured_at is None


@pytest.mark.parametrize(
    "written",
    ["0000:00:00 00:00:00", "2024:13:45 10:00:00", "2023:02:29 10:00:00", "    :  :     :  :  ", "yesterday", ""],
)
def test_a_date_that_never_was_is_no_date(written):
    assert facts(details={0x9003: written}).captured_at is None


@pytest.mark.parametrize("written", ["1970:01:01 00:00:00", "2099:12:31 23:59:59", "2024:03:31 02:30:00"])
def test_an_odd_but_possible_wall_clock_is_kept_as_written(written):
    assert facts(details={0x9003: written}).captured_at == datetime.strptime(written, "%Y:%m:%d %H:%M:%S")


def test_place_is_signed_degrees():
    south_east = {1: "S", 2: (2.0, 30.0, 36.0), 3: "E", 4: (34.0, 45.0, 0.0)}
    read = facts(gps=south_east)
    assert (read.latitude, read.longitude) == (pytest.approx(-2.51), pytest.approx(34.75))


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 3: "E"},
        {2: (1.0, 2.0, 3.0), 4: (1.0, 2.0, 3.0)},
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (IFDRational(1, 0), 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (1.0, 2.0), 3: "E", 4: (1.0, 0.0, 0.0)},
    ],
)
def test_a_place_that_cannot_be_believed_is_no_place(gps):
    read = facts(gps=gps)
    assert (read.latitude, read.longitude) == (None, None)


def test_text_is_one_short_clean_line():
    read = facts({0x010F: "Bush\0nell\x1b[31m\r\n\0\0", 0x0110: "x" * 9999})
    assert read.make == "Bushnell[31m"
    assert read.model == "x" * MAX_TEXT
    assert facts({0x010F: "  \0 "}).make is None


def test_direction_marks_cannot_turn_a_name_round():
    assert facts({0x0110: "cam\u202egpj.exe".encode()}).model == "camgpj.exe"


@given(st.binary(max_size=400))
def test_no_exif_block_ever_spoils_a_photo(block):
    photo = decode(jpeg_bytes(PIXELS, exif=b"Exif\0\0" + block))
    assert photo.pixels.shape == (8, 8, 3)


def test_an_image_whose_exif_reader_breaks_has_no_facts():
    class Broken(Image.Image):
        def getexif(self):
            raise OverflowError

    assert camera_facts(Broken()) == CameraFacts()


@pytest.mark.photos
def test_every_date_of_the_labelled_photos_is_read(camera_trap):
    for row in csv.DictReader((camera_trap / "labels.csv").open(encoding="utf-8")):
        read = decode(camera_trap / row["path"]).facts.captured_at
        assert (read.isoformat() if read else "") == row["datetime"].replace(" ", "T"), row["path"]


@pytest.mark.photos
def test_the_coolpix_stood_in_arezzo(bad_files):
    read = decode(bad_files / "gps_nikon_p6000.jpg").facts
    assert (read.latitude, read.longitude) == (pytest.approx(43.4674, abs=1e-3), pytest.approx(11.8851, abs=1e-3))
