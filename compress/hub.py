"""The Hugging Face Hub is asked once whether it has an id: its libraries try again for a minute without a network."""

from typing import Literal

from compress.errors import PocketTicketError

_SECONDS = 10.0  # for the one question


class HubError(PocketTicketError):
    """A Hub id that does not exist or may not be read."""


def ask_hub(name: str, kind: Literal["model", "dataset"]) -> None:
    """Raise HubError where the Hub has no such id; where it can't be reached, the libraries use downloaded files alone.

    Offline (HF_HUB_OFFLINE=1) it is not asked.
    """
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if constants.HF_HUB_OFFLINE:
        return
    words = {"model": "model", "dataset": "data set"}[kind]
    api = huggingface_hub.HfApi()
    ask = api.model_info if kind == "model" else api.dataset_info
    try:
        ask(name, timeout=_SECONDS)
    except GatedRepoError as error:
        raise HubError(
            f"the {words} may be read by its members only",
            where=name,
            remedy="ask for access, and log in with `hf auth login`",
        ) from error
    except (RepositoryNotFoundError, huggingface_hub.errors.HFValidationError) as error:
        raise HubError(
            f"there is no such {words} on the Hub", where=name, remedy="correct the name, or give a folder"
        ) from error
    except Exception:  # the client raises many unrelated types where there is no network
        constants.HF_HUB_OFFLINE = True
