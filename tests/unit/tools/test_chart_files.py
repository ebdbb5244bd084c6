"""The parts of the chart that are generated."""

import json

import chart_files

from seatpool.settings.settings import RENAMED


def test_the_schema_accepts_the_old_and_the_new_name_of_a_setting_alike() -> None:
    text = (chart_files.CHART / "values.schema.json").read_text()
    definitions = json.loads(chart_files.schema(text, iter(())))["definitions"]
    for old, new in RENAMED.items():
        fields = definitions["WatchSettings"]["properties"]
        accepted_as_old, accepted_as_new = (dict(fields[name.split(".")[1]]) for name in (old, new))
        assert new in accepted_as_old.pop("description")
        del accepted_as_new["description"]
        assert accepted_as_old == accepted_as_new
