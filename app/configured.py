"""What the settings and plantao.yml ask for, as the service and its commands both need it."""

from __future__ import annotations

from app.config import Config, default_config, load
from app.engine.policy import Policy
from app.settings import Settings


def read_policy(settings: Settings) -> Policy:
    """The policy that the configuration file, or the environment alone, asks for."""
    return Policy(read_config(settings), fallback_email=settings.email_to)


def read_config(settings: Settings) -> Config:
    """`plantao.yml` if there is one; without it one receiver of what is set up, and the console."""
    defaults = default_config(
        slack_channel=settings.slack_channel if settings.slack_bot_token else None,
        email_to=settings.email_to if settings.smtp_url else (),
    )
    return load(settings.config_file, defaults) if settings.config_file else defaults
