"""The one family of errors that users see: each is one sentence that says what is wrong, where, and what to do."""


class PocketTicketError(Exception):
    """A wrong input or a missing tool. The command line prints it as one sentence and exits with code 2.

    `where` names the file, line, column, key or flag; `remedy` says what to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        place = f"{where}: " if where else ""
        cure = f"; {remedy}" if remedy else ""
        super().__init__(f"{place}{what}{cure}.")


class RecipeError(PocketTicketError):
    """A recipe (flags or YAML) that can't be followed; `what` lists every problem found, not only the first."""


class DataError(PocketTicketError):
    """Training or evaluation data that can't be used as it is."""


class ModelError(PocketTicketError):
    """A model folder or Hub id that is not a supported encoder, is incomplete or damaged."""


class TrainingError(PocketTicketError):
    """Training that can't go on, such as a loss that is not a number."""


class ExportError(PocketTicketError):
    """A model that can't be lowered, or a program that is damaged or disagrees with the model it came from."""


class ToolError(PocketTicketError):
    """A tool that the app's build needs and that is not on this machine."""
