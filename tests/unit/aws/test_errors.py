"""Every error of an AWS call has a reason and an advice, and license servers have the same ones."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from seatpool.aws.errors import ADVICE, AwsErrorReason, describe_error, error_code, error_text, reason_of
from seatpool.servers import errors as servers
from seatpool.servers.ssm.errors import fault_of


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused("UnauthorizedOperation"), AwsErrorReason.ACCESS_DENIED),
        (refused("ThrottlingException"), AwsErrorReason.THROTTLED),
        (refused("QueueDoesNotExist"), AwsErrorReason.QUEUE_MISSING),
        (refused("InvalidDocument"), AwsErrorReason.INVALID_DOCUMENT),
        (refused("InvalidDocument", "The hash does not match"), AwsErrorReason.DOCUMENT_CHANGED),
        (refused("SomethingNew"), AwsErrorReason.AWS_ERROR),
        (NoCredentialsError(), AwsErrorReason.NO_CREDENTIALS),
        (NoRegionError(), AwsErrorReason.NO_REGION),
        (EndpointConnectionError(endpoint_url="https://sqs"), AwsErrorReason.UNREACHABLE),
    ],
)
def test_an_error_has_a_reason(error: Exception, reason: AwsErrorReason) -> None:
    assert reason_of(error) is reason
    assert describe_error(error) == f"{error}; {ADVICE[reason]}"


def test_an_error_without_an_answer_has_no_code() -> None:
    assert error_code(NoRegionError()) == ""
    assert error_code(refused("Throttling")) == "Throttling"


def test_every_reason_has_an_advice() -> None:
    assert set(ADVICE) == set(AwsErrorReason)
    assert set(servers.ADVICE) == set(servers.CommandFault)


def test_a_license_server_takes_its_reasons_from_the_same_table_and_names_its_own_fields() -> None:
    assert fault_of(refused("AccessDenied")) is servers.CommandFault.ACCESS_DENIED
    assert fault_of(NoRegionError()) is servers.CommandFault.AWS_ERROR
    assert "roleArn and externalId" in servers.ADVICE[servers.CommandFault.ACCESS_DENIED]


def test_how_often_the_library_tried_is_not_told() -> None:
    refused = {
        "Error": {"Code": "InvalidInstanceId", "Message": "no such\ninstance"},
        "ResponseMetadata": {"RetryAttempts": 0, "MaxAttemptsReached": True},
    }
    error = ClientError(refused, "SendCommand")  # type: ignore[arg-type]
    assert "reached max retries" in str(error)
    assert error_text(error) == (
        "An error occurred (InvalidInstanceId) when calling the SendCommand operation: no such instance"
    )
