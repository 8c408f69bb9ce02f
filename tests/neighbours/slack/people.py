"""What a person does in Slack. Every act answers with a `Delivery`: await it, or `wait()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import elements, events, interactions, payloads, reactions
from .delivery import Delivery, nothing_sent
from .elements import Choice, Control
from .model import Content, Message, User

if TYPE_CHECKING:
    from .modals import Modal
    from .views import View
    from .workspace import Workspace


class Person:
    """Clicks only on what is really there, as it is shown now."""

    def __init__(self, workspace: Workspace, user: User) -> None:
        self.workspace = workspace
        self.user = user

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def home(self) -> View:
        """Their App Home; AssertionError when nothing is published yet."""
        view = self.workspace.views.home(self.id)
        assert view is not None, f"nothing is published to {self.user.name}'s App Home"
        return view

    # -- on messages and the App Home

    def click(self, where: Message | View, name: str, *, value: str | None = None) -> Delivery:
        """A button, by action_id or label; `value` tells buttons of one name apart."""
        return self._use(where, name, None, value=value)

    def choose(self, where: Message | View, name: str, choice: Choice) -> Delivery:
        """An option of a menu, by value or label; a list of them where several may be chosen."""
        return self._use(where, name, choice)

    def _use(
        self, where: Message | View, name: str, choice: Choice, *, value: str | None = None
    ) -> Delivery:
        self._check_active()
        if isinstance(where, Message):
            return self._use_message(where, name, choice, value)
        assert where.user == self.id, f"{self.user.name} does not see {where.title!r}"
        return self.use_view(where, name, choice, value=value)

    def _use_message(
        self, message: Message, name: str, choice: Choice, value: str | None
    ) -> Delivery:
        workspace = self.workspace
        with workspace.changed:
            self._check_sees(message)
            present = elements.controls(message.blocks, message.attachments)
            control = elements.find(present, name, value=value)
            chosen = workspace.chosen.setdefault((self.id, message.channel, message.ts), {})
            picked = _picked(control, choice)
            if picked and control.kind not in elements.STATELESS:
                chosen[control.action_id] = picked
            held = payloads.stateful(message, chosen)
            payload = payloads.message_actions(workspace, self.user, message, control, held)
            _add_option(payload, control, picked)
            return interactions.tell(workspace, self.user, payload, f"used {control.label!r}")

    def use_view(
        self, view: View, name: str, choice: Choice, *, value: str | None = None
    ) -> Delivery:
        """Use an element of a modal or home; the app hears of it only where it asked to."""
        workspace = self.workspace
        with workspace.changed:
            assert view.is_open, f"{view.title!r} is closed"
            control = elements.find(view.controls, name, value=value)
            picked = _picked(control, choice)
            if picked and control.kind not in elements.STATELESS:
                view.hold(control, picked)
            about = f"used {control.label!r}"
            if not control.dispatches:
                return nothing_sent(self.id, about)
            payload = payloads.view_actions(workspace, self.user, view, control)
            _add_option(payload, control, picked)
            return interactions.tell(workspace, self.user, payload, about)

    # -- commands and shortcuts

    def command(self, line: str, *, channel: str | None = None) -> Delivery:
        """A slash command as typed into a channel; Slack knows none in threads."""
        workspace = self.workspace
        name, _, text = line.partition(" ")
        self._check_active()
        with workspace.changed:
            known = ", ".join(workspace.app.commands) or "none"
            assert name in workspace.app.commands, f"{name} is not a valid command; known: {known}"
            workspace.check_granted("commands")
            room = workspace.channel_id(channel or workspace.default_channel)
            payload = payloads.command(workspace, self.user, room, name, text.strip())
            then = interactions.command_answer(workspace, self.user, room)
            return interactions.tell(
                workspace, self.user, payload, f"typed {line!r}", kind="slash_commands", then=then
            )

    def shortcut(self, name: str, message: Message | None = None) -> Delivery:
        """By callback_id or name; with a message from its menu, else a global one."""
        workspace = self.workspace
        self._check_active()
        with workspace.changed:
            if message is not None:
                self._check_sees(message)
                assert message.visible_to is None, "an ephemeral message has no shortcuts"
            kind = "message" if message else "global"
            there = [s for s in workspace.app.shortcuts.values() if s.kind == kind]
            found = [s for s in there if name in {s.callback_id, s.name}]
            assert found, f"no {kind} shortcut {name!r}; there are {there}"
            workspace.check_granted("commands")
            payload = payloads.shortcut(workspace, self.user, found[0], message)
            return interactions.tell(workspace, self.user, payload, f"chose {found[0].name!r}")

    # -- talking

    def say(
        self, text: str, *, channel: str | None = None, thread_of: Message | None = None
    ) -> Message:
        """Write a message; nobody has to expect it. The app hears of it if it subscribed."""
        room = channel or (thread_of.channel if thread_of else self.workspace.default_channel)
        return self.workspace.say(text, channel=room, user=self.id, thread_of=thread_of)

    def edit(self, message: Message, text: str) -> Delivery:
        """One's own message."""
        self._check_wrote(message)
        content = Content(self.workspace.typed(text))
        return self.workspace.edit(message, content, mark=True)

    def delete(self, message: Message) -> Delivery:
        """One's own message; a root with replies leaves a tombstone."""
        self._check_wrote(message)
        return self.workspace.remove(message)

    def react(self, message: Message, emoji: str) -> Delivery:
        """`pushpin` or `:pushpin:`."""
        self._check_sees(message)
        return reactions.add(self.workspace, message, self.id, emoji.strip(":"))

    def unreact(self, message: Message, emoji: str) -> Delivery:
        return reactions.remove(self.workspace, message, self.id, emoji.strip(":"))

    def open_home(self) -> Delivery:
        """Look at the app's Home tab."""
        assert self.workspace.app.home_tab, "the app has no Home tab"
        return events.home_opened(self.workspace, self.id)

    # -- modals

    def expect_modal(self, containing: str = "", *, within: float = 10.0) -> Modal:
        """The modal on top of this person's screen, which must say this."""
        return self.workspace.expect_modal(self, containing, within=within)

    async def expect_modal_soon(self, containing: str = "", *, within: float = 10.0) -> Modal:
        return await self.workspace.expect_modal_soon(self, containing, within=within)

    # -- ephemeral messages

    def expect_ephemeral(self, containing: str = "", *, within: float = 10.0) -> Message:
        """A message only this person sees, the oldest nobody has expected yet."""
        return self.workspace.expect_ephemeral(self.id, containing, within=within)

    async def expect_ephemeral_soon(self, containing: str = "", *, within: float = 10.0) -> Message:
        return await self.workspace.expect_ephemeral_soon(self.id, containing, within=within)

    def _check_active(self) -> None:
        assert not self.user.deleted, f"{self.user.name} is deactivated"

    def _check_wrote(self, message: Message) -> None:
        self._check_sees(message)
        assert message.bot_user == self.id, f"{self.user.name} did not write {message.text!r}"

    def _check_sees(self, message: Message) -> None:
        gone = message.deleted or not self.workspace.is_there(message)
        assert not gone, f"the message is gone: {message.visible_text}"
        reader = message.visible_to
        assert reader in {None, self.id}, f"only {reader} sees: {message.visible_text}"
        room = self.workspace.channels[message.channel]
        assert self.id not in room.absent, f"{self.user.name} is not in #{room.name}"


def _picked(control: Control, choice: Choice) -> dict[str, object]:
    if control.kind == "button":
        return {}
    return elements.holding(control.element, choice)


def _add_option(payload: dict[str, object], control: Control, picked: dict[str, object]) -> None:
    """An overflow menu holds nothing: its choice is in the action only."""
    if control.kind == "overflow":
        actions = payload["actions"]
        assert isinstance(actions, list)
        actions[0] |= picked
