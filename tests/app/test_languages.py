"""Which language a reader gets: the browser's, unless the person has chosen one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.languages import preferred
from app.main import create_app
from models.errors import Invalid
from models.settings import Settings
from tests import make
from tests.conftest import Site

GERMAN = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Sign in"
msgstr "Anmelden"

msgid "Your account"
msgstr "Dein Konto"

msgid "This page does not exist, or is not yours to see."
msgstr "Diese Seite gibt es nicht, oder sie ist nicht für dich."

msgid "Show the passwords"
msgstr "Zeige die Passwörter"

msgid "Hide the passwords"
msgstr "Verbirg die Passwörter"
"""


@pytest.fixture
def german_site(tmp_path: Path, sqlite_url: str, start_site: Callable[[str], Site]) -> Site:
    """A server with a German translation under its home."""
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / "de.po").write_text(GERMAN)
    return start_site(sqlite_url)


def test_the_browser_is_asked(german_site: Site) -> None:
    with german_site.client(accept="text/html") as client:
        german = client.get("/sign-in", headers={"accept-language": "fr;q=0.9, de-AT, en;q=0.8"}).text
        english = client.get("/sign-in", headers={"accept-language": "en, de;q=0.5"}).text
        missing = client.get("/nothing", headers={"accept-language": "de"})
    assert '<html lang="de"' in german
    assert "Anmelden" in german
    assert '<html lang="en"' in english
    assert "Sign in" in english
    assert missing.status_code == 404
    assert "Diese Seite gibt es nicht" in missing.text


def test_a_persons_own_choice_wins(german_site: Site) -> None:
    with german_site.database.writing() as session:
        token = make.token(session, make.user(session))
    with german_site.client(token, accept="text/html") as client:
        before = client.get("/account", headers={"accept-language": "en"}).text
        assert "Your account" in before
        assert (
            client.post("/account/language", data={"language": "de"}).headers["location"]
            == "/account?saved=language#language"
        )
        after = client.get("/account", headers={"accept-language": "en"}).text
        assert "Dein Konto" in after
        assert '<html lang="de"' in after
        assert client.post("/account/language", data={"language": "xx"}).status_code == 422
        client.post("/account/language", data={"language": "en"})
        assert "Your account" in client.get("/account", headers={"accept-language": "de"}).text


def test_scripts_get_what_they_say_and_nothing_in_english(german_site: Site) -> None:
    with german_site.client(accept="text/html") as client:
        german = client.get("/sign-in", headers={"accept-language": "de"}).text
        english = client.get("/sign-in", headers={"accept-language": "en"}).text
    assert 'id="words"' in german
    assert "Verbirg die Passw" in german
    assert 'id="words"' not in english


def test_without_a_translation_nobody_is_asked(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        token = make.token(session, make.user(session))
    with sqlite_site.client(token, accept="text/html") as client:
        assert 'id="language"' not in client.get("/account", headers={"accept-language": "de"}).text


def test_a_broken_translation_stops_the_start(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / "de.po").write_text(GERMAN.replace('"Anmelden"', '"Anmelden %(wer)s"'))
    with pytest.raises(Invalid, match=r"de\.po: %\(wer\)s has no value, in the translation of 'Sign in'"):
        create_app(Settings(home=tmp_path, database_url=sqlite_url, _env_file=None))


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("de", ["de"]), ("de-AT,de;q=0.9,en;q=0.8", ["de_AT", "de", "en"]), ("en;q=0.2, pt-br", ["pt_BR", "en"]),
        ("", []), ("*", []), ("de;q=0", []), ("de;q=x, fr", ["fr"]), ("zh-Hans-CN", ["zh_Hans_CN"]),
    ],
)  # fmt: skip
def test_the_header_is_read(header: str, tags: list[str]) -> None:
    assert preferred(header) == tags
