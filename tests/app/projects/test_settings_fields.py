"""What people are asked beside a name: switched on by an administrator, noted, refused in words."""

from __future__ import annotations

from tests.app.projects.test_settings import Desk, desk

__all__ = ["desk"]


def test_fields_are_switched_on_and_off_again_and_noted(desk: Desk) -> None:
    assert desk.project.asked_fields == {}
    saved = desk.save("fields", sex="on", behaviours=" eating \r\n\r\nresting\r\neating\r\n")
    assert (saved.status_code, saved.headers["location"].endswith("?saved=fields#fields")) == (303, True)
    assert desk.project.asked_fields == {"sex": ["female", "male"], "behaviour": ["eating", "resting"]}
    page = desk.show().replace("\n", " ")
    assert 'name="sex" value="on" checked' in page and 'name="life_stage" value="on">' in page
    assert "eating resting</textarea>" in page and "Sex is asked" in page
    assert desk.save("fields", life_stage="on").status_code == 303
    assert desk.project.asked_fields == {"life_stage": ["adult", "subadult", "juvenile"]}
    first, second = (entry.details["changes"] for entry in desk.noted() if entry.act == "settings.fields")
    assert first == {"asks_sex": [False, True], "behaviours": ["", "eating\nresting"]}
    assert second["asks_life_stage"] == [False, True]


def test_a_behaviour_that_cannot_be_is_refused_and_stays_typed(desk: Desk) -> None:
    for typed, why in (
        ("eating\n" + "x" * 61, "At most 60 characters"),
        ("\n".join(f"act {number}" for number in range(31)), "At most 30, one a line"),
        ("a\u0007b", "It has a character that cannot be shown"),
    ):
        refused = desk.save("fields", sex="on", behaviours=typed)
        assert refused.status_code == 422 and why in refused.text, refused.text
        assert 'name="sex" value="on" checked' in refused.text
    assert desk.project.asked_fields == {}


def test_who_read_an_older_page_overwrites_nothing(desk: Desk) -> None:
    version = desk.project.version
    desk.save("fields", sex="on")
    late = desk.save("fields", version=version, life_stage="on")
    assert late.status_code == 412 and "Somebody changed these settings" in late.text
    assert desk.project.asked_fields == {"sex": ["female", "male"]}
