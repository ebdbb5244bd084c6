"""The table of rules has each rule of the spec and of the domain, and every place reads it."""

from dataclasses import fields
from datetime import timedelta

import pytest
from typer.core import TyperOption
from typer.main import get_command

from seatpool.api import rule_fields
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePoolSpec
from seatpool.api.rule_fields import DURATIONS, RULE_FIELDS, RuleField, duration_of
from seatpool.cli.plan import app
from seatpool.domain.rules import PoolRules, ReassignmentBudget
from seatpool.policy.pool_rules import format_rules, pool_rules

SPEC = LicensePoolSpec.model_validate(
    {
        "serverRef": {"name": "licenses"}, "product": "matlab", "seats": 2, "workbenchTypes": ["vew"],
        "linger": "15m", "readmitAfter": "1d", "maxReassignments": {"count": 4, "window": "365d"},
    }
)  # fmt: skip


@pytest.mark.parametrize("rule", RULE_FIELDS, ids=lambda rule: rule.spec)
def test_a_rule_has_its_names_in_spec_and_domain_and_its_description_in_the_crd(rule: RuleField) -> None:
    field = LicensePoolSpec.model_fields[rule.attribute]
    assert (field.alias, field.description) == (rule.spec, rule.text)
    assert rule.attribute in {one.name for one in fields(PoolRules)}


@pytest.mark.parametrize("rule", RULE_FIELDS, ids=lambda rule: rule.spec)
def test_a_rule_is_an_option_of_plan_with_its_unit(rule: RuleField) -> None:
    (option,) = [one for one in get_command(app).params if rule.option in one.opts]
    assert isinstance(option, TyperOption)
    assert option.metavar == rule.metavar
    assert rule.spec in (option.help or "")


def test_every_duration_of_the_domains_rules_is_in_the_table() -> None:
    durations = {one.name for one in fields(PoolRules) if isinstance(one.default, timedelta)}
    assert durations == {rule.attribute for rule in DURATIONS}


def test_the_duration_of_a_rule_is_the_pools_own_and_none_for_other_fields() -> None:
    assert duration_of(SPEC, "linger") == timedelta(minutes=15)
    assert duration_of(SPEC, "seats") is None
    assert duration_of(SPEC, rule_fields.MAX_REASSIGNMENTS.spec) is None


def test_rules_that_are_set_are_shown_in_the_order_of_the_table_and_alike_for_spec_and_domain() -> None:
    shown = format_rules(SPEC, budget="{count} in {window}")
    assert shown == {"linger": "15m", "readmitAfter": "1d", "maxReassignments": "4 in 365d"}
    assert format_rules(pool_rules(SPEC, IdentitySettings()), budget="{count} in {window}") == shown


def test_a_budget_of_nothing_is_a_rule_too() -> None:
    rules = PoolRules(seats=1, max_reassignments=ReassignmentBudget(count=0, window=timedelta(days=1)))
    assert format_rules(rules, budget="{count}/{window}") == {"maxReassignments": "0/1d"}
