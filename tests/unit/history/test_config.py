"""Settings that cannot work are refused with what would be right."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from seatpool.history.config import HistoryConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"location": "s3://"}, "names no bucket; write s3://bucket/prefix"),
        ({"location": "s3://bucket/x"}, "spool is not given: name a folder on a local disk"),
        ({"location": "s3://bucket", "spool": "/s", "role_arn": "arn"}, "write the bucket's region"),
        ({"location": "/history", "kms_key": "key"}, "only used when location is s3://bucket/prefix"),
        ({"location": "/history", "external_id": "x"}, "only used together with role_arn"),
        ({"location": "/history", "retention_days": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        HistoryConfig.model_validate(settings)


def test_the_spool_of_a_folder_is_inside_it_where_no_report_looks() -> None:
    assert HistoryConfig(location="/history").spool_folder == Path("/history/.spool")
    assert HistoryConfig(location="/history", spool=Path("/disk")).spool_folder == Path("/disk")
