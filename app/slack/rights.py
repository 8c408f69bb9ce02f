"""Who may act: everybody who is a person, or those in the user groups that are configured."""

from __future__ import annotations

from app.engine.policy import PolicyInForce
from app.errors import PlantaoError
from app.notifiers.wording import N_
from app.slack.directory import Directory, Member, Unknown
from app.slack.requests import Caller


class NotAllowed(PlantaoError):
    """This person may not act; `str()` is a message of the catalogue."""


_NOT_IN_GROUP = N_("Only people in these user groups may act here: {groups}.")
_CANNOT_TELL = N_("Slack does not say just now whether you may act here: try again.")
_NOBODY = N_("Only active people of this workspace may act here.")


class Rights:
    """Asks the directory, which remembers for a few minutes."""

    def __init__(self, directory: Directory, policy: PolicyInForce) -> None:
        self._directory = directory
        self._policy = policy

    @property
    def groups(self) -> tuple[str, ...]:
        """The user groups whose members may act; none means everybody."""
        return self._policy.current.config.slack.allowed_usergroups

    async def check(self, caller: Caller) -> Member:
        """Who acts; raises NotAllowed."""
        member = await self._directory.member(caller)
        if not member.may_act:
            raise NotAllowed(_NOBODY)
        if not self.groups:
            return member
        try:
            allowed = await self._directory.is_in_any(caller.id, self.groups)
        except Unknown:
            raise NotAllowed(_CANNOT_TELL) from None
        if not allowed:
            raise NotAllowed(_NOT_IN_GROUP)
        return member
