"""The domain's words for what goes wrong. app/errors.py alone gives them a status number."""


class DomainError(Exception):
    """Something a person asked for cannot be done; the message says what and where."""


class NotYours(DomainError):
    """This does not exist, or is not yours to see."""


class NotAllowed(DomainError):
    """You are a member, but your role may not do this."""


class NotSignedIn(DomainError):
    """Sign in first."""


class Invalid(DomainError):
    """What was sent makes no sense here; the message names the field."""


class Conflict(DomainError):
    """Somebody or something was faster; look again."""


class StillRunning(Conflict):
    """The same request is being worked on."""


class KeyReused(Invalid):
    """This idempotency key was already used for something else."""


class Changed(DomainError):
    """The row was changed since you read it."""


class TooManyTries(DomainError):
    """Wait before the next try."""


class NoSpace(DomainError):
    """The disk is (nearly) full; uploads wait, labels go on."""


class Busy(DomainError):
    """The queue of writers is full; try again in a moment."""


class TooLarge(DomainError):
    """More bytes than allowed."""


class SchemaMismatch(DomainError):
    """The database is older or newer than this program."""
