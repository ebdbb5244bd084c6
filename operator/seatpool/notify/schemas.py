"""Generates the JSON Schemas of the notices for receivers. Receivers ignore fields that they do not know."""

import json
from typing import Any

from seatpool.api.descriptions import DescribedSchema
from seatpool.notify.notices import KINDS, Notice

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(kind: type[Notice]) -> dict[str, Any]:
    """Returns the schema of one kind of notice. It is that of `detail`, in EventBridge and in a post."""
    return {
        "$schema": DIALECT,
        **kind.model_json_schema(by_alias=True, schema_generator=DescribedSchema),
        "title": kind.type,
    }


def files() -> dict[str, str]:
    """Returns all schemas by file name."""
    return {f"{kind.type}.json": json.dumps(schema(kind), indent=2) + "\n" for kind in KINDS}
