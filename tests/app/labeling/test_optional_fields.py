"""Sex, age and behaviour: kept with the answer, taken back with it, said again with it, and only of animals."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from models.label import Label
from models.project import Project
from tests.app.labeling.conftest import Person, Study, new_key
from tests.app.labeling.test_review import HTML, shown

MakeStudy = Callable[..., Study]
FEMALE = {"sex": "female", "life_stage": "adult", "behaviour": "eating"}


def beside(study: Study, box: int) -> list[tuple[str, str, str]]:
    """(sex, life stage, behaviour) of every row about the box, oldest first."""
    wanted = select(Label.sex, Label.life_stage, Label.behaviour).where(Label.box_id == box).order_by(Label.id)
    with study.site.database.reading() as session:
        return [tuple(row) for row in session.execute(wanted)]


def asking(study: Study, behaviours: str = "eating\nresting") -> None:
    """The project wishes for all three."""
    with study.site.database.writing() as session:
        session.get_one(Project, study.project_id).set_fields(True, True, behaviours)


def again(person: Person, box: int) -> dict[str, object]:
    """The crop with what this person said of it, as the page gets it."""
    answered = person.client.get(f"/projects/{person.project_id}/answered").json()["crops"]
    said: dict[str, object] = next(crop["said"] for crop in answered if crop["box_id"] == box)
    return said


def test_what_is_said_beside_the_name_is_undone_and_redone_with_it(make_study: MakeStudy) -> None:
    study = make_study(2)
    asking(study)
    person = study.person()
    crop, _other = person.crops()
    jaguar = study.species["Jaguar"]
    assert person.say(crop, jaguar, **FEMALE).status_code == 200
    assert again(person, crop["box_id"]) == {"species_id": jaguar, "certain": True} | FEMALE
    person.say(crop, jaguar, sex="male")
    assert again(person, crop["box_id"]) == {"species_id": jaguar, "certain": True, "sex": "male"}
    person.undo()
    assert again(person, crop["box_id"])["sex"] == "female"
    person.redo()
    assert again(person, crop["box_id"])["sex"] == "male"
    female, male = ("female", "adult", "eating"), ("male", "", "")
    assert beside(study, crop["box_id"]) == [female, male, female, male]
    page = shown(person, f"?box={crop['box_id']}")
    assert '<span class="strong"><bdi>Jaguar</bdi></span> <span class="quiet"><bdi>male</bdi></span>' in page.replace(
        "\n", ""
    )


def test_the_same_key_with_another_sex_is_another_answer(make_study: MakeStudy) -> None:
    study = make_study(1)
    person = study.person()
    (crop,) = person.crops()
    key = new_key()
    for _retry in range(2):
        assert person.say(crop, study.species["Jaguar"], key, sex="female").status_code == 200
    assert person.say(crop, study.species["Jaguar"], key, sex="male").status_code == 422
    assert beside(study, crop["box_id"]) == [("female", "", "")]


def test_only_an_animal_has_a_sex(make_study: MakeStudy) -> None:
    study = make_study(3)
    person = study.person()
    first, second, third = person.crops()
    person.say(first, study.fixed["person"], **FEMALE)
    person.say(second, study.fixed["cannot_tell"], **FEMALE)
    person.act(third, "empty-photo")
    for crop in (first, second, third):
        assert beside(study, crop["box_id"]) == [("", "", "")]


def test_a_word_that_is_none_is_refused_and_nothing_is_said(make_study: MakeStudy) -> None:
    study = make_study(1)
    person = study.person()
    (crop,) = person.crops()
    for field, word, why in (
        ("sex", "yes", "sex: 'yes' is not one of female, male"),
        ("life_stage", "old", "life_stage: 'old' is not one of adult, subadult, juvenile"),
        ("behaviour", "x" * 61, "behaviour: at most 60 characters"),
        ("behaviour", "a\u0000b", "behaviour: it has a character that cannot be shown"),
        ("sex", 1, "sex: "),
    ):
        refused = person.say(crop, study.species["Jaguar"], **{field: word})
        assert refused.status_code == 422 and refused.json()["error"].startswith(why), refused.text
    assert study.labels() == []


def test_an_answer_that_was_on_its_way_is_kept_after_the_project_stopped_asking(make_study: MakeStudy) -> None:
    study = make_study(1)
    asking(study)
    person = study.person()
    (crop,) = person.crops()
    asking(study, "")
    assert person.say(crop, study.species["Jaguar"], behaviour="eating").status_code == 200
    assert beside(study, crop["box_id"]) == [("", "", "eating")]


def test_a_plain_form_asks_and_sends_them_and_does_not_keep_them_for_the_next_crop(make_study: MakeStudy) -> None:
    study = make_study(2)
    person = study.person()
    label = f"/projects/{study.project_id}/label"
    assert 'name="sex"' not in person.client.get(label, headers=HTML).text
    asking(study)
    page = person.client.get(label, headers=HTML).text
    assert page.count('type="radio"') == 7 and "<option>resting</option>" in page.replace("\n", "")
    (crop,) = person.crops(1)
    form = {"species": str(study.species["Jaguar"]), "idempotency_key": new_key(), "sex": "", "life_stage": "juvenile"}
    gone = person.client.post(f"/boxes/{crop['box_id']}/labels", data=form, headers=HTML)
    assert gone.status_code == 303
    assert beside(study, crop["box_id"]) == [("", "juvenile", "")]
    assert 'value="juvenile" autocomplete="off" checked' not in person.client.get(label, headers=HTML).text
    back = person.client.get(f"{label}?box={crop['box_id']}", headers=HTML).text
    assert 'value="juvenile" autocomplete="off" checked' in back


def test_a_burst_takes_them_with_its_name(make_study: MakeStudy) -> None:
    study = make_study(1)
    person = study.person()
    body = {"species": study.species["Jaguar"], "boxes": [], "idempotency_key": new_key(), "sex": "male"}
    assert person.client.post(f"/boxes/{study.boxes[0]}/burst-labels", json=body).status_code == 200
    assert beside(study, study.boxes[0]) == [("male", "", "")]
