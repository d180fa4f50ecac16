"""The document as a page that needs no script: rendered here from what /api/v1/openapi.json says."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.pages import page

LISTED = "Listed_"  # a page of a list: its items, and `next`
METHODS = ("get", "post", "put", "patch", "delete")


def docs_page(request: Request, document: dict[str, Any]) -> Response:
    """Every route by its tag, and every shape."""
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                groups[operations[method]["tags"][0]].append(route_of(path, method, operations[method]))
    schemas = document["components"]["schemas"]
    shapes = [shape_of(name, schemas[name]) for name in sorted(schemas) if not name.startswith(LISTED)]
    about = document["info"]["description"].split("\n")
    return page(
        request, "api/docs.html", groups=groups, shapes=shapes, about=about[0],
        rules=[line.removeprefix("* ").replace("`", "") for line in about if line.startswith("* ")],
    )  # fmt: skip


def route_of(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """One route: its address, words, parameters, body and answer."""
    body = operation.get("requestBody", {}).get("content", {})
    answers = {status: told for status, told in operation["responses"].items() if status.startswith("2")}
    status, answer = next(iter(answers.items()))
    return {
        "id": operation["operationId"], "method": method.upper(), "path": path,
        "words": operation["description"].split("\n\n")[0].replace("`", ""), "scope": operation["x-scope"],
        "role": operation["x-role"],
        "parameters": [parameter_of(each) for each in operation.get("parameters", []) if each["in"] != "path"],
        "body": [kind_of(each.get("schema", {}), media) for media, each in body.items()],
        "status": status,
        "answer": [kind_of(each.get("schema", {}), media) for media, each in answer.get("content", {}).items()],
    }  # fmt: skip


def parameter_of(parameter: dict[str, Any]) -> dict[str, Any]:
    """One part of the query or one header. Where it may be left out, that is not said of its kind once more."""
    return {
        "name": parameter["name"], "in": parameter["in"], "required": parameter.get("required", False),
        "kind": kind_of(parameter.get("schema", {}))[0].removesuffix(" or null"),
        "words": parameter.get("description", "").replace("`", ""),
    }  # fmt: skip


def shape_of(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """One shape with its fields."""
    required = schema.get("required", [])
    fields = [
        {
            "name": field, "kind": kind_of(told), "required": field in required,
            "words": told.get("description", "").replace("`", ""),
        }
        for field, told in schema.get("properties", {}).items()
    ]  # fmt: skip
    return {"name": name, "words": schema.get("description", ""), "fields": fields, "values": schema.get("enum", [])}


def kind_of(schema: dict[str, Any], media: str = "") -> tuple[str, str]:
    """(what a value is in words, the shape that it is or holds, empty where it is none)."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        item = name.removeprefix(LISTED).removesuffix("_")
        return (f"items of {item}, and next", item) if name.startswith(LISTED) else (name, name)
    if "anyOf" in schema:
        kinds = [kind_of(each) for each in schema["anyOf"]]
        return " or ".join(kind for kind, _shape in kinds), next((shape for _kind, shape in kinds if shape), "")
    if "enum" in schema:
        return " | ".join(str(each) or "(empty)" for each in schema["enum"]), ""
    if schema.get("type") == "array" and "items" in schema:
        kind, shape = kind_of(schema["items"])
        return f"list of {kind}", shape
    if media and media != "application/json":
        return media, ""
    kind = str(schema.get("const", schema.get("type", "anything")))
    return f"{kind}, {schema['format']}" if "format" in schema else kind, ""
