"""Attribution by hiding words: what the scores lose where a word is not there to be read.

The networks read the embedding of `<PAD>` in its place (see `gradients` for the reason), at its step; the n-grams that
occur nowhere without it lose their weight. (Zeiler and Fergus 2014, arXiv:1311.2901, hid patches of pictures; Li,
Monroe and Jurafsky 2016, arXiv:1612.08220, words.) Words act together, so the scores do not add up to the whole.
"""

import numpy as np
import torch

from textrnn.inspection.attribution import Attribution, Rows
from textrnn.inspection.networks import Networks, embedded, in_double, logits_of_inputs
from textrnn.inspection.ngram_shares import ngram_losses
from textrnn.inspection.reading import Reading
from textrnn.runtime import Classifier

BATCH = 64
"""Texts that are read together."""


def occlusion(model: Classifier | Networks, text: str | Reading) -> Attribution:
    """Words by what the scores lose without each of them; one reading of the text a word."""
    networks = in_double(model)
    rows = Rows(networks, networks.read(text))
    for member in networks.members:
        inputs, hidden = embedded(member, rows.reading), member.embedding.weight[0]
        found = []
        with torch.no_grad():
            whole = logits_of_inputs(member, inputs[:, None])
            for start in range(0, rows.reading.time, BATCH):
                places = torch.arange(start, min(start + BATCH, rows.reading.time))
                copies = inputs[:, None].repeat(1, len(places), 1)
                copies[places, torch.arange(len(places))] = hidden
                found.append((whole - logits_of_inputs(member, copies)).numpy())
            rows.bias += logits_of_inputs(member, hidden.expand(len(inputs), 1, -1))[0].numpy()
        rows.add_steps(np.concatenate([np.zeros((0, networks.outputs)), *found]))
    rows.add_ngrams(ngram_losses)
    return rows.attribution("occlusion", exact=False)
