"""The stage of the operator's own tests, on which manifests from git are applied."""

from tests.integration.control.conftest import aws_process, stage

__all__ = ["aws_process", "stage"]
