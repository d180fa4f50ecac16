"""Deployments from a table: what is read, what is refused and why, and that nothing is stored before somebody says so."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from app.deployments.table import decoded, read
from models.errors import Invalid
from tests.app.deployments.conftest import Field

OURS = """deployment,site,camera,start,end,zone,latitude,longitude,problem1_from,problem1_to,problem1_kind
Camera A,Creek,C1,2026-03-01 10:00,2026-03-31 10:00,America/Lima,-12.5,-70.1,2026-03-05,2026-03-07,blocked
Camera B,Ridge,C2,2026-03-01,2026-02-01,,,,,,
Camera C,Ridge,C3,2026-03-01,2026-03-11,Mars,,,,,
Camera D,Ridge,C4,soon,,,,,,,
Camera E,Ridge,C5,,,,95,10,,,
Camera F,Ridge,C6,,,,1,2,,,,too much
"""


def test_a_dry_run_names_each_bad_line_and_stores_nothing_and_then_the_good_lines_go_in(both_fields: Field) -> None:
    field = both_fields
    page = field.send("/table", text=OURS)
    assert page.status_code == 200 and "1 good line" in page.text and "5 bad lines" in page.text
    for said in (
        "lies before the start",
        "no zone of the IANA list",
        "&#39;soon&#39; is no time",
        "lies between -90",
        "12 cells, but 11",
    ):
        assert said in page.text, said
    assert "Camera A" not in field.show()
    assert field.send("/table/save", text=OURS).status_code == 303
    row = field.row("Camera A")
    assert (row.starts_at, row.latitude, row.camera) == (dt.datetime(2026, 3, 1, 10), -12.5, "C1")
    listed = field.show()
    assert "28.0" in listed and "Camera B" not in listed
    assert field.send("/table/save", text=OURS).status_code == 303 and field.row("Camera A").version == row.version


def test_a_file_is_read_as_it_is_encoded(field: Field) -> None:
    for content, reading in (
        ("deployment,site\nC1,Río\n".encode(), "UTF-8"),
        ("deployment;site\nC1;Río\n".encode("latin-1"), "Latin-1"),
    ):
        answer = field.client.post(f"{field.path}/table", files={"file": ("t.csv", content)}, data={"text": ""})
        assert answer.status_code == 200 and reading in answer.text and "Río" in answer.text


def test_too_much_is_refused_before_it_is_read(field: Field) -> None:
    answer = field.client.post(f"{field.path}/table", files={"file": ("t.csv", b"x" * (3 << 20))})
    assert answer.status_code == 413
    assert field.send("/table", text="deployment\n" + "a\n" * 2001).status_code == 422


def test_camtrap_dp_is_read_with_its_offsets() -> None:
    text = (
        "deploymentID,locationID,locationName,latitude,longitude,coordinateUncertainty,deploymentStart,deploymentEnd,cameraID,"
        "cameraModel,habitat\ndep1,loc1,Creek,51.1,4.5,187,2020-05-30T02:57:37Z,2020-07-01T09:41:41+02:00,cam1,Reconyx,forest\n"
    )
    (line,) = read(text, "UTF-8", "Europe/Brussels").lines
    assert (line.deployment, line.site, line.camera) == ("dep1", "loc1", "cam1")
    assert line.values["starts_at"] == dt.datetime(2020, 5, 30, 4, 57, 37)
    assert line.values["ends_at"] == dt.datetime(2020, 7, 1, 9, 41, 41)
    assert read(text, "UTF-8", "UTC").lines[0].values["starts_at"] == dt.datetime(2020, 5, 30, 2, 57, 37)
    assert read(text, "UTF-8", "UTC").ignored == ["locationName", "habitat"]


def test_the_station_table_of_camtrapr_means_the_deployment_that_is_there(field: Field) -> None:
    field.send("/table/save", text="deployment,site,camera\nSD 4,StationA,Cam1\n")
    table = (
        "Station;Camera;gps_y;gps_x;Setup_date;Retrieval_date;Problem1_from;Problem1_to\n"
        "StationA;Cam1;5,477;118,01;2009-04-02;2009-05-15;2009-04-10;2009-04-12\n"
        "StationB;Cam1;5,1;118,02;2009-04-02;2009-05-15;;\n"
    )
    assert "changes" in field.send("/table", text=table).text
    field.send("/table/save", text=table)
    row = field.row("SD 4")
    assert (row.starts_at, row.latitude, row.longitude) == (dt.datetime(2009, 4, 2, 12), 5.477, 118.01)
    assert field.row("StationB/Cam1").ends_at == dt.datetime(2009, 5, 15, 12)
    assert "41.0" in field.show()


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "names the columns"), ("a,b\n1,2\n", "a column deployment"), ("\n\n", "names the columns")],
)
def test_what_is_no_table_is_refused(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(text, "UTF-8", "UTC")


def test_odd_cells() -> None:
    table = read('\ufeffdeployment,site\n\'=A1,x\na,y\na,z\n"two\nlines",x\n,\n', "UTF-8", "UTC")
    assert [line.deployment for line in table.lines] == ["=A1"]
    assert [(bad.number, bad.field) for bad in table.bad] == [(3, "deployment"), (4, "deployment"), (5, "deployment")]
    assert decoded("déjà".encode("utf-16"))[0] == "déjà"


def test_a_table_changes_only_what_it_says(field: Field) -> None:
    field.send("/table/save", text="deployment,site,comments\nC1,Creek,By the bridge\n")
    field.send("/table/save", text="deployment,site,camera\nC1,,K9\n")
    row = field.row("C1")
    assert (row.comments, row.camera) == ("By the bridge", "K9") and row.site_id is not None
    late: httpx.Response = field.send("/table", text="deployment,latitude\nC1,5\n")
    assert "latitude and longitude belong together" in late.text
