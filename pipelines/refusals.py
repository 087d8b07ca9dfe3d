"""What the command refuses, said to the person who must act: what, where, what to do next."""


class Refusal(Exception):
    """A mistake of the person or of a file, never of the program.

    ``quoi`` says what is wrong, ``ou`` names the file, table or setting (never a row value), ``que_faire``
    says what to do next. All three are French sentences. ``code`` is the exit code of the command.
    """

    code = 1

    def __init__(self, quoi: str, *, ou: str, que_faire: str) -> None:
        self.quoi, self.ou, self.que_faire = quoi, ou, que_faire
        super().__init__(f"{quoi}\n  Où : {ou}\n  Que faire : {que_faire}")

    def __reduce__(self) -> tuple[object, ...]:
        """A refusal met in another process arrives as itself."""
        return _refused, (type(self), self.quoi, self.ou, self.que_faire)


def _refused(kind: type[Refusal], quoi: str, ou: str, que_faire: str) -> Refusal:
    return kind(quoi, ou=ou, que_faire=que_faire)


class ContractRefusal(Refusal):
    """A file or a delivery breaks the data contract."""

    code = 3


class KeyRefusal(Refusal):
    """A key, a key check value or an epoch is not the expected one."""

    code = 4


class RoleRefusal(Refusal):
    """The secret of another role is readable by this account."""

    code = 5


class MissingSourceRefusal(Refusal):
    """A partner's extract is absent or too old for the month asked for."""

    code = 6


class LegalRefusal(Refusal):
    """The convention has ended, the legislation of a month is unknown, a consent is missing."""

    code = 7


class SettingsRefusal(Refusal):
    """The settings file is absent, misspelt or contradictory."""

    code = 2
