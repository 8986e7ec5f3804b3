"""As much of JSON Schema as GitHub's descriptions use: types, required keys, enums, alternatives, references."""

from __future__ import annotations

from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def problems(document: dict[str, Any], schema: dict[str, Any], value: Any, path: str = "") -> list[str]:
    """What is wrong with `value`, a line each with its path; references are looked up in `document`."""
    schema = resolved(document, schema)
    if value is None and schema.get("nullable"):
        return []
    kinds = schema.get("type") or []
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(has_type(value, kind) for kind in kinds):
        return [f"{path}: {type(value).__name__} instead of {kinds}"]
    found = []
    if value not in schema.get("enum", [value]):
        found.append(f"{path}: {value!r} is none of {schema['enum']}")
    for word in ("anyOf", "oneOf"):
        attempts = [problems(document, each, value, path) for each in schema.get(word, ())]
        if attempts and all(attempts):
            found += min(attempts, key=len)
    for each in schema.get("allOf", ()):
        found += problems(document, each, value, path)
    if isinstance(value, dict):
        found += [f"{path}.{key}: missing" for key in schema.get("required", ()) if key not in value]
        for key, each in schema.get("properties", {}).items():
            if key in value:
                found += problems(document, each, value[key], f"{path}.{key}")
    if isinstance(value, list) and "items" in schema:
        for index, each in enumerate(value):
            found += problems(document, schema["items"], each, f"{path}[{index}]")
    return found


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/")]
        schema = target
    return schema


def has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])
