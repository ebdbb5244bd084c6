"""Turns owners into user ids, by one setting for the whole installation."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from seatpool.domain.identity import InvalidUser, check_user, normalise, normalise_pattern, users_of


class IdentitySettings(BaseModel):
    """Settings of user ids. A user who appears as `CORP\\x`, `x`, `x@corp.example` and `X` takes one seat."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strip_domain: bool = Field(default=True, description=r"Drop `DOMAIN\` before and `@domain` after the user id.")
    fold_case: bool = Field(default=True, description="Turn user ids into lower case.")
    mapping: dict[str, str] = Field(
        default_factory=dict, description="User ids that are replaced, after the above, by owner in any spelling."
    )
    mapping_file: Path | None = Field(
        default=None, description="YAML or CSV file with more of them; read again when it changes."
    )

    @field_validator("mapping")
    @classmethod
    def _a_mapped_user_can_stand_on_a_list(cls, mapping: dict[str, str]) -> dict[str, str]:
        for name, user in mapping.items():
            try:
                check_user(user)
            except InvalidUser as error:
                raise ValueError(f"{name} is mapped to a user id that no license server could take: {error}") from error
        return mapping

    @field_validator("mapping")
    @classmethod
    def _owners_are_normalised(cls, mapping: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        """Owners are compared after normalisation. So an owner of the mapping in another spelling would never be found."""
        normalised: dict[str, str] = {}
        spelt: dict[str, str] = {}
        for owner, user in mapping.items():
            key = normalise(
                owner,
                strip_domain=info.data.get("strip_domain", True),
                fold_case=info.data.get("fold_case", True),
                mapping={},
            )
            if not key:
                raise ValueError(f"{owner!a} is no owner: nothing is left of it without its domain")
            if normalised.setdefault(key, user) != user:
                raise ValueError(
                    f"{spelt[key]!a} and {owner!a} are the same owner and have two users, {normalised[key]} and {user}; keep one"
                )
            spelt.setdefault(key, owner)
        return normalised

    @cached_property
    def fingerprint(self) -> str:
        """What stands for these settings: two that normalise every owner alike have the same one."""
        rules = [self.strip_domain, self.fold_case, sorted(self.mapping.items())]
        return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:12]

    def user_pattern(self, pattern: str) -> str:
        """Returns the glob that matches user ids. Raises InvalidUser if it can match none."""
        return normalise_pattern(
            pattern, strip_domain=self.strip_domain, fold_case=self.fold_case, mapping=self.mapping
        )

    def user(self, owner: str) -> str:
        """Returns the user id of an owner. Raises InvalidUser if there is none."""
        user = self.unchecked_user(owner)
        check_user(user)
        return user

    def unchecked_user(self, owner: str) -> str:
        """Returns the user id of an owner, which a license server may not be able to take."""
        return normalise(
            owner,
            strip_domain=self.strip_domain,
            fold_case=self.fold_case,
            mapping=self.mapping,
            mapped_users=self._mapped_users,
        )

    @cached_property
    def _mapped_users(self) -> dict[str, str]:
        return users_of(self.mapping, fold_case=self.fold_case)

    def changed(self, **changes: Any) -> "IdentitySettings":
        """Returns the settings with other values, which have to be valid. `model_copy` would keep what was computed before."""
        return IdentitySettings.model_construct(**(dict(self) | changes))

    def spellings(self, placeholder: str) -> frozenset[str]:
        """Returns the user ids under which a placeholder of a license server could appear."""
        folded = normalise(placeholder, strip_domain=False, fold_case=self.fold_case, mapping={})
        return frozenset({placeholder, folded})

    def user_or_problem(self, owner: str) -> tuple[str | None, str | None]:
        """Returns the user id of an owner and None, or None and the reason why there is none."""
        try:
            return self.user(owner), None
        except InvalidUser as error:
            return None, str(error)
