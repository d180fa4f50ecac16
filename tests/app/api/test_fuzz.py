"""Whatever is sent to any route: an answer, never a broken server, and every problem in the one shape."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.api.study import Study, client_of, key, study_on
from tests.app.api.test_docs import told
from tests.app.api.test_matrix import filled
from tests.conftest import Site

NASTY = st.sampled_from(
    ["", "\0", "\ud800", "é", "a" * 300, "-1", "0", "1e3", "9" * 30, "null", "true", "../..", "%00", "{}", "2026-13-01T00:00:00",
     "0000-01-01T00:00:00", "NaN", "wh_" + "0" * 64, "W10", "WzFd", "WzldOQ", "WyIwMDAxLTAxLTAxIiwxXQ", "'; drop table box; --"]
)  # fmt: skip
NUMBERS = st.sampled_from([-1, 0, 1, 2, 20, 2**31 - 1, 2**31, 2**63, 2**70, 0.5, -0.0, 1e308])
TEXTS = NASTY | st.text(max_size=20)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
FEW = settings(
    max_examples=250, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)  # fmt: skip


@cache
def operations(address: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of the document."""
    document = httpx.get(f"{address}/api/v1/openapi.json").json()
    shapes = document["components"]["schemas"]
    return [
        (method, path, operation | {"shapes": shapes})
        for path, each in document["paths"].items()
        for method, operation in each.items()
    ]


def fields_of(operation: dict[str, Any]) -> list[str]:
    """The fields of the body."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return list(operation["shapes"].get(schema.get("$ref", "").rsplit("/", 1)[-1], {}).get("properties", {}))


def drawn_body(data: st.DataObject, operation: dict[str, Any], study: Study) -> bytes:
    """Some of the right fields, with values that are right now and then."""
    likely: dict[str, st.SearchStrategy[Any]] = {
        "idempotency_key": st.builds(key), "species": st.sampled_from(["Ocelot", *study.species.values()]),
        "role": st.sampled_from(["viewer", "admin"]), "name": st.sampled_from(["March", "Puma"]),
        "email": st.just("a.person@example.org"),
    }  # fmt: skip
    body: Any = {
        name: data.draw(likely[name] | VALUES if name in likely else VALUES, name)
        for name in fields_of(operation)
        if name in likely or data.draw(st.booleans(), f"has {name}")
    }
    if data.draw(st.integers(0, 9), "whole") == 0:
        body = data.draw(VALUES, "instead")
    return json.dumps(body).encode()


def ask_anything(data: st.DataObject, study: Study, client: httpx.Client) -> None:
    method, path, operation = data.draw(st.sampled_from(operations(study.site.address)), "operation")
    address = filled(study, path)
    if data.draw(st.integers(0, 4), "odd path") == 0 and "{" in path:
        address = path.replace("{project_id}", str(study.project_id))
        while "{" in address:
            start, _brace, rest = address.partition("{")
            odd = data.draw(NASTY.filter(lambda text: text not in ("", "../..", "\ud800")), "part")
            address = start + quote(odd, safe="") + rest.partition("}")[2]
    names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
    query = {name: data.draw(NASTY | TEXTS, name) for name in names if data.draw(st.booleans(), f"asks {name}")}
    pairs = "&".join(f"{name}={quote(text.encode('utf-8', 'replace'), safe='')}" for name, text in query.items())
    headers = {"content-type": "application/json"}
    if method == "patch" and path.endswith("/settings"):
        headers["if-match"] = client.get(f"{study.here}/settings").headers["etag"]
    body = drawn_body(data, operation, study) if method in ("post", "patch", "put") else None
    answer = client.request(method.upper(), f"{address}?{pairs}", content=body, headers=headers)
    assert answer.status_code < 500 or answer.status_code in (503, 507), (method, address, pairs, body, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", (method, address, pairs, answer.text)
        assert answer.json()["status"] == answer.status_code


@given(data=st.data())
@FEW
def test_nothing_that_is_sent_breaks_the_server(house: Site, data: st.DataObject) -> None:
    study = studies(house)
    with client_of(house, tokens(house)) as client:
        ask_anything(data, study, client)


@cache
def studies(site: Site) -> Study:
    """One study for all examples of a server."""
    assert told(site)["paths"]
    return study_on(site)


@cache
def tokens(site: Site) -> str:
    """Its administrator's."""
    return studies(site).token("admin")
