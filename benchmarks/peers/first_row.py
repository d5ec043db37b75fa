"""Our shortcut for the peers: of the last layer only what the [CLS] row needs, which is all that a classifier reads."""

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN

from compress.models.anatomy import encoder_of, layers_of
from compress.models.architectures import architecture_of
from compress.models.parts import Layer


class FirstRowLayer(nn.Module):
    """A post-norm encoder layer, (1, T, H) → (1, 1, H): its first row, computed as Hugging Face's layers do."""

    def __init__(self, layer: Layer, activation: str) -> None:
        super().__init__()
        self.query, self.key, self.value = layer.query, layer.key, layer.value
        self.output, self.norm = layer.attention_output, layer.attention_norm
        block = layer.feed_forwards[-1]
        self.inner, self.outer, self.last_norm, self.activation = (
            block.inner,
            block.outer,
            block.norm,
            ACT2FN[activation],
        )
        self.head_size = layer.head_size

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, *_: object, **__: object) -> Tensor:
        """`attention_mask` (1, 1, ·, T) is added to the scores or, as truth values, says which of them count."""
        row = hidden_states[:, :1]
        query, key = self._heads(self.query(row)), self._heads(self.key(hidden_states))
        scores = torch.matmul(query, key.transpose(2, 3)) * self.head_size**-0.5  # (1, heads, 1, T)
        if attention_mask is not None:
            mask = attention_mask[:, :, :1]
            added = mask if mask.is_floating_point() else torch.where(mask, 0.0, torch.finfo(scores.dtype).min)
            scores = scores + added
        context = torch.matmul(torch.softmax(scores, -1), self._heads(self.value(hidden_states)))
        row = self.norm(self.output(context.transpose(1, 2).reshape(1, 1, -1)) + row)
        return self.last_norm(self.outer(self.activation(self.inner(row))) + row)

    def _heads(self, x: Tensor) -> Tensor:
        """(1, R, h·d) → (1, h, R, d)."""
        return x.view(1, -1, x.shape[-1] // self.head_size, self.head_size).transpose(1, 2)


def first_row_only(model: nn.Module) -> nn.Module:
    """The same classifier, changed in place: its last layer answers for the first row alone."""
    row = architecture_of(model)
    layers = encoder_of(model).get_submodule(row.layers)
    layers[-1] = FirstRowLayer(layers_of(model)[-1], getattr(model.config, row.hidden_activation))
    return model
