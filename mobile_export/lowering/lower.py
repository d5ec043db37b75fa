"""From a saved model folder to an ExecuTorch program: the phone form, and the stock form that reports compare with.

The phone form is the encoder rewritten for XNNPACK (`lowering.phone`): dynamic length in at most two delegated pieces.
The stock form is the Hugging Face model as it is, through XNNPACK's stock recipe, with a dynamic length too.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.errors import ExportError
from compress.files import write_atomic, write_json
from compress.models.saved import Saved
from mobile_export.lowering.passes import hurried, whole_partitioner
from mobile_export.lowering.quantization import Scheme, storage_of
from mobile_export.programs.padding import pad_id_of
from mobile_export.programs.program import MIN_TOKENS, PAIR_KINDS, Census, Form, Program, SchemeName
from mobile_export.programs.quiet import quiet

if TYPE_CHECKING:
    from executorch.exir import EdgeProgramManager

DEFAULT_MAX_TOKENS = 128


def lower(
    model_dir: Path,
    output: Path,
    *,
    form: Form = "phone",
    scheme: SchemeName | Scheme = "int8",
    max_tokens: int | None = None,
    pair: bool | None = None,
) -> Program:
    """Lower the saved model in `model_dir` to the ExecuTorch program `output`, and describe it beside it (.json).

    `max_tokens` (special tokens included) and `pair` (a token_type_ids input) default to what the model's config says
    (`compress.models.saved`). The same folder gives the same bytes. Raises ModelError for a folder that can't be loaded
    and ExportError for a model that can't be lowered.
    """
    scheme = scheme if isinstance(scheme, Scheme) else Scheme(scheme)
    if form not in get_args(Form):
        raise ExportError(f"there is no form '{form}'", remedy=f"use one of {', '.join(get_args(Form))}")
    model = load_model(Path(model_dir))
    max_tokens = max_tokens_of(model, max_tokens)
    segments = has_segments(model, pair)
    module, inputs = FORMS[form](model, max_tokens, segments)
    scheme.apply(module)
    from mobile_export.lowering.heads import outputs_of

    shortest = min_tokens_of(model, form)
    data, census = to_program(module, inputs, max_tokens, shortest)
    write_atomic(Path(output), data)
    program = Program(
        path=Path(output),
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        form=form,
        scheme=scheme.name,
        inputs=inputs,
        outputs=outputs_of(model),
        max_tokens=max_tokens,
        census=census,
        storage=tuple(storage_of(module)),
        min_tokens=shortest,
        idle_neurons=getattr(module, "idle_neurons", 0),
        pad_id=pad_id_of(Path(model_dir)),
    )
    write_json(program.path.with_suffix(".json"), program.to_json())
    return program


def load_model(model_dir: Path) -> nn.Module:
    """The task model saved in a folder, in fp32 and ready to answer (eval mode). Raises ModelError."""
    from compress.models.store import load_saved

    with quiet():
        return load_saved(Path(model_dir))


def max_tokens_of(model: nn.Module, wanted: int | None = None) -> int:
    """The longest text, special tokens included: `wanted`, or the config's, or 128.

    Raises ExportError for more than the model has positions.
    """
    from compress.models.anatomy import longest_input

    available = longest_input(model.config)
    longest = wanted or Saved.of(model.config).max_tokens or min(DEFAULT_MAX_TOKENS, available)
    if not MIN_TOKENS < longest <= available:
        raise ExportError(
            f"max_tokens is {longest}, but the model takes {MIN_TOKENS + 1} to {available}",
            remedy="choose a length between",
        )
    return longest


def min_tokens_of(model: nn.Module, form: Form) -> int:
    """The shortest text: 2, or 3 where MobileBERT's stock trigram is cut out of the text without its first token."""
    from compress.models.anatomy import embeddings_of

    return 3 if form == "stock" and embeddings_of(model).trigram else MIN_TOKENS


def has_segments(model: nn.Module, pair: bool | None = None) -> bool:
    """Whether the program needs token_type_ids: the task is a pair and the architecture tells segments apart."""
    from compress.models.anatomy import embeddings_of

    kind = Saved.of(model.config).kind
    table = embeddings_of(model).token_type
    return (kind in PAIR_KINDS if pair is None else pair) and table is not None and table.num_embeddings > 1


def _phone(model: nn.Module, max_tokens: int, segments: bool) -> tuple[nn.Module, tuple[str, ...]]:
    from mobile_export.lowering.phone import PhoneEncoder

    inputs = ("input_ids", "token_type_ids") if segments else ("input_ids",)
    return PhoneEncoder(model, max_tokens, segments=segments).eval(), inputs


class StockForm(nn.Module):
    """The Hugging Face model as it is: input_ids, attention_mask [, token_type_ids] (1, T) → logits.

    Of an encoder without a head the text's vector (1, D): as its hook pools, or the mean, L2-normalized.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor | tuple[Tensor, ...]:
        segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        answer = self.model(input_ids=input_ids, attention_mask=attention_mask, **segments)
        if "last_hidden_state" in answer and "logits" not in answer:
            mask = attention_mask.unsqueeze(-1).to(torch.float32)
            return F.normalize((answer.last_hidden_state * mask).sum(1) / mask.sum(1))
        return answer.logits if "logits" in answer else (answer.start_logits, answer.end_logits)


def _stock(model: nn.Module, max_tokens: int, segments: bool) -> tuple[nn.Module, tuple[str, ...]]:
    from compress.models.fused import join_

    inputs = ("input_ids", "attention_mask", "token_type_ids") if segments else ("input_ids", "attention_mask")
    return StockForm(join_(model)).eval(), inputs


FORMS = {"phone": _phone, "stock": _stock}


def to_program(
    module: nn.Module, inputs: tuple[str, ...], max_tokens: int, min_tokens: int = MIN_TOKENS
) -> tuple[bytes, Census]:
    """Export `module` with a dynamic length, `min_tokens` to `max_tokens`, and lower it with XNNPACK's stock recipe.

    Raises ExportError when the exporter refuses.
    """
    example = tuple(torch.ones(1, max_tokens // 2 + 1, dtype=torch.int64) for _ in inputs)
    length = torch.export.Dim("T", min=min_tokens, max=max_tokens)
    try:
        with quiet(), torch.no_grad(), hurried():
            from executorch.backends.xnnpack.utils.configs import get_transform_passes
            from executorch.exir import EdgeCompileConfig, ExecutorchBackendConfig, to_edge_transform_and_lower

            exported = torch.export.export(
                module, example, dynamic_shapes=tuple({1: length} for _ in inputs), strict=False
            )
            # the verifier looks at each graph again, and what it would find the parity tests find in the file itself
            unverified = EdgeCompileConfig(_check_ir_validity=False)
            edge = to_edge_transform_and_lower(
                exported,
                transform_passes=get_transform_passes(),  # as the documentation of the XNNPACK backend does
                partitioner=[whole_partitioner()],
                compile_config=unverified,
            )
            census = census_of(edge)
            # without this option an embedding quantized by torchao is stored dequantized
            data = edge.to_executorch(ExecutorchBackendConfig(do_quant_fusion_and_const_prop=True)).buffer
    except ExportError:
        raise
    except Exception as error:  # the exporter raises whatever its passes raise
        raise ExportError(
            f"the exporter refused the model ({type(error).__name__}: {str(error).strip().splitlines()[0][:200]})",
            remedy="report it with the model's config.json",
        ) from error
    return bytes(data), census


def census_of(edge: "EdgeProgramManager") -> Census:
    """Count what XNNPACK took of the graph and what it left."""
    from executorch.devtools.backend_debug import get_delegation_info

    info = get_delegation_info(edge.exported_program().graph_module)
    left = {
        name: counts.non_delegated for name, counts in info.delegation_by_operator.items() if counts.non_delegated > 0
    }
    inside, outside = info.num_delegated_nodes, sum(left.values())
    return Census(info.num_delegated_subgraphs, inside / max(1, inside + outside), dict(sorted(left.items())))
