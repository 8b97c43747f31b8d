"""Transition evidence: what people turn to next after a product, within a few of their own steps."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recommend.engine.interactions import EventLog


def transition_weights(log: EventLog, *, reach: int, shrinkage: float, seen: float = 0.0) -> sparse.csr_matrix:
    """N×N sparse weights: ``Σ 1/steps`` over pairs at most ``reach`` events apart, over the roots of both totals.

    An event that only saw its product counts ``seen`` of a liked one; with 0 it is passed over, as dislikes always are.
    Products of one moment (a basket) follow each other in both directions: their order says nothing.
    """
    says = log.says(seen)
    told = says > 0
    users, items, times, says = log.users[told], log.items[told], log.timestamps[told], says[told]
    total = sparse.csr_matrix((log.n_items, log.n_items), dtype=np.float32)
    for steps in range(1, reach + 1):
        if len(users) <= steps:
            break
        pair = (users[:-steps] == users[steps:]) & (items[:-steps] != items[steps:])
        before, after = items[:-steps][pair], items[steps:][pair]
        together = times[:-steps][pair] == times[steps:][pair]
        rows = np.concatenate([before, after[together]])
        columns = np.concatenate([after, before[together]])
        both = (says[:-steps] * says[steps:])[pair] / steps
        weights = np.concatenate([both, both[together]])
        total = total + sparse.csr_matrix((weights, (rows, columns)), shape=total.shape)
    outgoing = np.asarray(total.sum(axis=1)).ravel()
    incoming = np.asarray(total.sum(axis=0)).ravel()
    pairs = total.tocoo()
    values = pairs.data / (np.sqrt(outgoing[pairs.row] * incoming[pairs.col]) + shrinkage)
    return sparse.csr_matrix((values.astype(np.float32), (pairs.row, pairs.col)), shape=total.shape)
