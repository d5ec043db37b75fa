"""Padding is inert: a text gets the same logits alone and padded in a batch, as programs without padding need it."""

import pytest
import torch
from architectures import CONFIGS, model_of

from compress.models.anatomy import embeddings_of


@pytest.mark.parametrize("kind", CONFIGS)
def test_logits_are_the_same_alone_and_padded(kind: str) -> None:
    model, generator = model_of(kind), torch.Generator().manual_seed(1)
    texts = [torch.randint(5, 50, (length,), generator=generator) for length in (3, 9, 5)]
    ids = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=model.config.pad_token_id)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(text) for text in texts], batch_first=True)
    with torch.no_grad():  # as a new model has it: MobileBERT's trigram reads the row after the last token's
        embeddings_of(model).word.weight[model.config.pad_token_id] = 0
    with torch.inference_mode():
        alone = torch.cat([model(input_ids=text[None]).logits for text in texts])
        torch.testing.assert_close(model(input_ids=ids, attention_mask=mask).logits, alone, rtol=1e-4, atol=1e-5)
