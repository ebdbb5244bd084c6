"""Every region that botocore knows can be used wherever a region is written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.api.regions import REGION_PATTERN
from seatpool.api.workbench import WorkbenchSpec
from seatpool.aws.regions import dns_suffix, partitions, region_names, region_pattern
from seatpool.mirror.config import AccountConfig, MirrorConfig


def test_the_pattern_in_the_resources_is_botocores_own() -> None:
    assert region_pattern() == REGION_PATTERN, (
        "botocore knows other regions: copy its pattern into api/regions.py, make generate"
    )


@pytest.mark.parametrize("region", region_names())
def test_each_region_of_each_partition_can_be_used(region: str) -> None:
    assert re.fullmatch(REGION_PATTERN, region)
    assert AccountConfig(account="111122223333", regions=(region,)).regions == (region,)
    assert MirrorConfig(region=region).region == region
    WorkbenchSpec.__pydantic_validator__.validate_assignment(WorkbenchSpec.model_construct(), "region", region)
    LicenseServerSpec.__pydantic_validator__.validate_assignment(LicenseServerSpec.model_construct(), "region", region)


def test_the_sovereign_cloud_and_all_other_partitions_are_among_them() -> None:
    assert "eusc-de-east-1" in region_names()
    assert {one["id"] for one in partitions()} >= {"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso"}


@pytest.mark.parametrize(
    "other",
    ["", "eu-central-1a", "EU-CENTRAL-1", "frankfurt", "eu-central-1\n", "aws-global", "eu-цент-1", "eu-west-١"],
)
def test_an_availability_zone_or_another_word_is_no_region(other: str) -> None:
    assert not re.fullmatch(REGION_PATTERN, other)


@given(st.from_regex(re.compile(REGION_PATTERN, re.ASCII), fullmatch=True).filter(lambda name: not name.endswith("\n")))
def test_a_region_that_is_opened_later_has_the_suffix_of_its_partition(region: str) -> None:
    assert dns_suffix(region) in {one["outputs"]["dnsSuffix"] for one in partitions()}


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-central-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_the_suffix_of_a_region(region: str, suffix: str) -> None:
    assert dns_suffix(region) == suffix
