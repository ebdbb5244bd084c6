"""Settings that cannot work are refused with a sentence that says what would."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from seatpool.mirror.config import AccountConfig, MirrorConfig


def account(number: str = "111122223333", **more: object) -> AccountConfig:
    return AccountConfig.model_validate({"account": number, "regions": ["eu-central-1"], **more})


@pytest.mark.parametrize(
    "queue",
    [
        "seatpool-events",
        "arn:aws:sqs:eu-central-1:111122223333:seatpool-events",
        "https://sqs.eu-central-1.amazonaws.com/111122223333/seatpool-events",
    ],
)
def test_a_queue_is_given_by_name_arn_or_url(queue: str) -> None:
    assert MirrorConfig(queue=queue).queue == queue


@pytest.mark.parametrize("queue", ["", "two words", "arn:aws:sns:eu-central-1:111122223333:topic", "ftp://queue"])
def test_something_else_is_no_queue(queue: str) -> None:
    with pytest.raises(ValidationError, match="queue"):
        MirrorConfig(queue=queue)


def test_an_account_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="account 111122223333 is listed 2 times"):
        MirrorConfig(accounts=(account(), account()))


def test_an_external_id_without_a_role_is_refused() -> None:
    with pytest.raises(ValidationError, match="external_id is given without role_arn"):
        account(external_id="abc")


def test_durations_are_written_as_everywhere_else() -> None:
    assert MirrorConfig.model_validate({"resync_interval": "1m30s"}).resync_interval == timedelta(seconds=90)


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="resync_intervall"):
        MirrorConfig.model_validate({"resync_intervall": "1m"})
