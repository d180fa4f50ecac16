"""Languages as BCP 47 writes them: en, es, pt-BR."""

from __future__ import annotations

import re

from models.errors import Invalid

LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.IGNORECASE)


def clean_language(language: str) -> str:
    """BCP 47 as it is usually written: es, pt-BR, zh-Hant. Raises Invalid."""
    typed = language.strip()
    if not LANGUAGE.fullmatch(typed) or len(typed) > 35:
        raise Invalid(f"language: {typed[:40]!r} is no language tag like es or pt-BR")
    first, *others = typed.split("-")
    shaped = [each.upper() if len(each) == 2 else each.title() if len(each) == 4 else each.lower() for each in others]
    return "-".join([first.lower(), *shaped])
