"""The life of a token: made, shown once, used, expired, revoked, gone with its person."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys

import pytest
from sqlalchemy import select

from models.api_token import MOST_ALIVE, ApiToken, Scope
from models.audit import AuditEntry
from models.base import utc_now
from models.errors import Invalid
from models.user import User
from tests import make
from tests.app.api.study import Study, client_of
from tests.conftest import Site
from tests.test_architecture import ROOT


def signed_in(study: Study, who: str = "annotator"):  # type: ignore[no-untyped-def]
    """A browser of this person."""
    with study.site.database.writing() as session:
        cookie = make.token(session, session.get_one(User, study.people[who]))
    return study.site.client(cookie, accept="text/html")


def status_of(study: Study, token: str) -> int:
    """What the token is answered."""
    with client_of(study.site, token) as client:
        return client.get("/me").status_code


def test_a_token_is_shown_once_and_only_its_hash_is_kept(sqlite_study: Study) -> None:
    with signed_in(sqlite_study) as browser:
        page = browser.post("/account/tokens", data={"name": "nightly R", "days": "30", "scopes": ["export", "read"]})
        text = re.search(r'value="(wh_[0-9a-f]{64})"', page.text)
        assert page.status_code == 200 and text
        again = browser.get("/account/tokens").text
    assert text[1] not in again and text[1][:9] in again and "nightly R" in again
    assert status_of(sqlite_study, text[1]) == 200
    with sqlite_study.site.database.reading() as session:
        mine = session.scalars(select(ApiToken).where(ApiToken.user_id == sqlite_study.people["annotator"])).one()
        noted = session.scalars(select(AuditEntry).where(AuditEntry.act == "account.token_made")).all()
    assert mine.scopes == "read export" and text[1] not in repr(vars(mine))
    assert text[1] not in repr([entry.details for entry in noted])


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"name": "", "days": "30", "scopes": ["read"]}, "name"), ({"name": "x", "days": "31", "scopes": ["read"]}, "days"),
     ({"name": "x", "days": "30"}, "scopes"), ({"name": "x", "days": "30", "scopes": ["root"]}, "scopes")],
)  # fmt: skip
def test_a_form_that_makes_no_sense_comes_back(sqlite_study: Study, sent: dict[str, object], field: str) -> None:
    with signed_in(sqlite_study) as browser:
        page = browser.post("/account/tokens", data=sent)
    assert page.status_code == 422
    assert f'id="token-{field}-error"' in page.text


def test_it_stops_when_it_is_revoked_and_nobody_else_can_do_that(sqlite_study: Study) -> None:
    token = sqlite_study.token("annotator")
    with sqlite_study.site.database.reading() as session:
        token_id = session.scalars(select(ApiToken.id).order_by(ApiToken.id.desc())).first()
    with signed_in(sqlite_study, "admin") as other:
        assert other.post(f"/account/tokens/{token_id}/revoke").status_code == 404
    assert status_of(sqlite_study, token) == 200
    with signed_in(sqlite_study) as browser:
        assert browser.post(f"/account/tokens/{token_id}/revoke").status_code == 303
    assert status_of(sqlite_study, token) == 401


def test_it_stops_when_it_expires(sqlite_study: Study) -> None:
    token = sqlite_study.token("annotator")
    with sqlite_study.site.database.writing() as session:
        newest = session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).first()
        assert newest is not None
        newest.expires_at = utc_now() - dt.timedelta(seconds=1)
    assert status_of(sqlite_study, token) == 401


def test_it_stops_at_once_when_its_person_is_disabled_and_stays_so(sqlite_study: Study) -> None:
    token = sqlite_study.token("annotator")
    person = sqlite_study.people["annotator"]
    with signed_in(sqlite_study, "site_admin") as administrator:
        assert administrator.post(f"/people/{person}/disable").status_code == 303
        assert status_of(sqlite_study, token) == 401
        assert administrator.post(f"/people/{person}/enable").status_code == 303
    assert status_of(sqlite_study, token) == 401


def test_the_row_alone_stops_it(sqlite_study: Study) -> None:
    token = sqlite_study.token("annotator")
    with sqlite_study.site.database.writing() as session:
        session.get_one(User, sqlite_study.people["annotator"]).disabled_at = utc_now()
    assert status_of(sqlite_study, token) == 401


def test_signing_out_everywhere_revokes_tokens_only_when_asked(sqlite_study: Study) -> None:
    token = sqlite_study.token("annotator")
    with signed_in(sqlite_study) as browser:
        browser.post("/account/sign-out-everywhere")
    assert status_of(sqlite_study, token) == 200
    with signed_in(sqlite_study) as browser:
        browser.post("/account/sign-out-everywhere", data={"tokens": "revoke"})
    assert status_of(sqlite_study, token) == 401


def test_the_list_shows_when_it_was_used(sqlite_study: Study) -> None:
    token = sqlite_study.token("annotator")
    with signed_in(sqlite_study) as browser:
        assert "never" in browser.get("/account/tokens").text
        assert status_of(sqlite_study, token) == 200
        assert "never" not in browser.get("/account/tokens").text


def test_a_token_is_no_sign_in_for_the_pages(sqlite_study: Study) -> None:
    headers = {"authorization": f"Bearer {sqlite_study.token('admin')}"}
    with sqlite_study.site.client() as browser:
        assert browser.get("/projects", headers=headers).status_code == 401
        assert browser.get(f"/images/{sqlite_study.photos[0]}/thumbnail.jpg", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "wh_1", "Basic d2g6d2g=", "Bearer wh_123", "Bearer " + "x" * 5000, "bearer \u00e9"]
)
def test_what_is_no_token_is_refused(sqlite_study: Study, header: str) -> None:
    with client_of(sqlite_study.site, None) as client:
        answer = client.get("/me", headers={"authorization": header.encode("latin-1")})  # type: ignore[dict-item]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_many_bad_tokens_are_slowed_down_and_good_ones_are_not(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        good = ApiToken.make(session, make.user(session), "good", [Scope.read], 7)[1]
    with client_of(sqlite_site, "wh_" + "0" * 64) as client:
        answers = [client.get("/me") for _ in range(40)]
        assert [each.status_code for each in answers[:30]] == [401] * 30
        assert answers[-1].status_code == 429 and answers[-1].headers["retry-after"]
        assert client.get("/me", headers={"authorization": f"Bearer {good}"}).status_code == 200


def test_a_person_has_so_many_tokens_and_no_more(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        person = make.user(session)
        for _ in range(MOST_ALIVE):
            ApiToken.make(session, person, "one", [Scope.read], 7)
        with pytest.raises(Invalid, match="Revoke one"):
            ApiToken.make(session, person, "one more", [Scope.read], 7)
        assert ApiToken.revoke_all(session, person.id) == MOST_ALIVE
        ApiToken.make(session, person, "one more", [Scope.read], 7)


def test_the_command_line_disables_tokens_for_good(sqlite_study: Study) -> None:
    token, person = sqlite_study.token("annotator"), sqlite_study.people["annotator"]
    with sqlite_study.site.database.reading() as session:
        email = session.get_one(User, person).email
    settings = sqlite_study.site.settings
    home = {"WATERHOLE_HOME": str(settings.home), "WATERHOLE_DATABASE_URL": settings.url}
    for command in ("disable-user", "enable-user"):
        words = [sys.executable, str(ROOT / "waterhole.py"), command, "--email", email]
        subprocess.run(words, env=os.environ | home, check=True, capture_output=True)
        assert status_of(sqlite_study, token) == 401
