"""Tickets of other studies, tried on this task: their masks on the same encoder."""

from pathlib import Path

from torch import Tensor

from compress.errors import PocketTicketError
from compress.lottery import Mask
from compress.models.anatomy import prunable_parameters
from compress.models.architectures import architecture_of
from compress.models.source import weights_fingerprint
from compress.pipeline.run import Inputs
from compress.study.results import load_study


class Source:
    """Another study as a source of masks. Raises PocketTicketError where they don't fit the run's encoder."""

    def __init__(self, folder: Path, run: Inputs, sparsities: tuple[float, ...]) -> None:
        study = load_study(folder)
        self.folder, self.name = folder, study["task"]["name"]
        self._tickets = [row for row in study["trainings"] if row["role"] == "ticket"]
        if study["model"]["fingerprint"] != weights_fingerprint(run.source):
            raise PocketTicketError(
                f"its tickets were found in the encoder {study['model']['name']}, not of this {run.model_name}",
                where=str(folder),
                remedy="transfer between studies with the same --model",
            )
        there = {row["sparsity"] for row in self._tickets}
        if missing := sorted(set(sparsities) - there):
            has = ", ".join(f"{s:g}" for s in sorted(there)) or "none"
            raise PocketTicketError(
                f"it has no ticket at a sparsity of {missing[0]:g} (it has {has})",
                where=str(folder),
                remedy="choose others with --at",
            )
        model = run.pretrained()
        self._parameters = {name: p.detach() for name, p in prunable_parameters(model).items()}
        self._pooler = architecture_of(model).pooler
        self.mask(sparsities[0], 0)  # refused now, before anything is trained

    def mask(self, sparsity: float, seed: int) -> Mask:
        """Its ticket's mask of that seed; where it has fewer seeds, they are used in turn."""
        rows = sorted((r for r in self._tickets if r["sparsity"] == sparsity), key=lambda r: r["seed"])
        row = next((r for r in rows if r["seed"] == seed), rows[seed % len(rows)])
        return fitted(Mask.load(self.folder / row["folder"] / "mask.safetensors"), self._parameters, self._pooler)


def fitted(mask: Mask, parameters: dict[str, Tensor], pooler: str | None) -> Mask:
    """The mask on `parameters`, where only the pooler may be on one side alone: left out there, or whole here.

    Some heads (of tokens, of masked words) have no pooler. Raises ModelError for any other difference.
    """
    own = f"{pooler}.weight" if pooler else None

    def optional(name: str) -> bool:
        return own is not None and (name == own or name.endswith(f".{own}"))

    tensors = {name: keep for name, keep in mask.items() if name in parameters or not optional(name)}
    tensors |= {n: p.new_ones(p.shape).bool() for n, p in parameters.items() if n not in mask and optional(n)}
    result = Mask(tensors)
    result.check_fits(parameters)
    return Mask({name: result[name] for name in parameters})
