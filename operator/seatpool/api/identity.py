"""Turns owners into user ids, by one setting for the whole installation."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from seatpool.domain.identity import InvalidUser, check_user, normalise


class IdentitySettings(BaseModel):
    """Settings of user ids. A user who appears as `CORP\\x`, `x`, `x@corp.example` and `X` takes one seat."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strip_domain: bool = Field(default=True, description=r"Drop `DOMAIN\` before and `@domain` after the user id.")
    fold_case: bool = Field(default=True, description="Turn user ids into lower case.")
    mapping: dict[str, str] = Field(default_factory=dict, description="User ids that are replaced, after the above.")
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

    def user(self, owner: str) -> str:
        """Returns the user id of an owner. Raises InvalidUser if there is none."""
        user = normalise(owner, strip_domain=self.strip_domain, fold_case=self.fold_case, mapping=self.mapping)
        check_user(user)
        return user

    def user_or_problem(self, owner: str) -> tuple[str | None, str | None]:
        """Returns the user id of an owner and None, or None and the reason why there is none."""
        try:
            return self.user(owner), None
        except InvalidUser as error:
            return None, str(error)
