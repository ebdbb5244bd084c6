"""What each field of a model means, from the sentence that stands below it in the source, for schemas that people read.

Pydantic can read those sentences itself, when a class is made; then every process that only answers a question reads and
parses the source of all models first, which was a tenth of its time.
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
    """JSON Schema whose properties have the fields' sentences as descriptions."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        sentences = sentences_of(schema["cls"])
        for name, field in schema["cls"].model_fields.items():
            described: dict[str, Any] | None = made.get("properties", {}).get(field.alias or name)
            if described is not None and name in sentences:
                described.setdefault("description", sentences[name])
        return made


def sentences_of(model: type[BaseModel]) -> dict[str, str]:
    """The sentence of each field that has one, those of inherited fields too."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            found |= _written_in(parent)
    return found


def _written_in(model: type[BaseModel]) -> dict[str, str]:
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(written, ast.ClassDef)  # noqa: S101
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(written.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
