"""The errors of the domain. Each one's text is fit to show to a user: what is wrong, and where.

They are mapped to HTTP in `functions/responses.py` and to exit codes in `tidemark/cli/main.py`.
"""

from __future__ import annotations


class TidemarkError(Exception):
    """Anything that Tidemark refuses or cannot do."""


class BadRequest(TidemarkError):
    """The caller's request does not have the form that was agreed."""


class TooLarge(TidemarkError):
    """The request is larger than is taken."""


class Unauthorized(TidemarkError):
    """No token, or one that is not valid (any more)."""


class Forbidden(TidemarkError):
    """A valid token that does not carry the scope that is asked for."""


class NotFound(TidemarkError):
    """There is no such thing."""


class Unavailable(TidemarkError):
    """Not now: a part that is needed does not answer. Trying again later is right, and safe."""


class SettingsError(TidemarkError):
    """A setting is missing or has a value that cannot be used."""


class Misuse(TidemarkError):
    """A command was called in a way that makes no sense."""


class Difference(TidemarkError):
    """An audit found two records that disagree."""
