"""Reads the description of each field of a model from the docstring below it in the source.

Pydantic can do that itself when a class is created. Then every command would parse the source of all models first, which took a
tenth of its time.
"""

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class DescribedSchema(GenerateJsonSchema):
    """Generates JSON schema with the docstrings of fields as descriptions."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        sentences = sentences_of(schema["cls"])
        for name, field in schema["cls"].model_fields.items():
            described: dict[str, Any] | None = made.get("properties", {}).get(field.alias or name)
            if described is not None and name in sentences:
                described.setdefault("description", sentences[name])
        return made


def sentences_of(model: type[BaseModel]) -> dict[str, str]:
    """Returns the docstring of each field that has one, with those of inherited fields."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            found |= written_in(parent)
    return found


def written_in(model: type) -> dict[str, str]:
    """Returns the docstring of each field that a class itself has. Raises OSError if there is no source."""
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(written, ast.ClassDef)  # noqa: S101
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(written.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
