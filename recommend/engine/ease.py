"""EASE and item-kNN: two ways to learn item-to-item weights from a user-item matrix.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019 (EASE). Sarwar et al., WWW 2001 (item-kNN).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from recommend.engine.errors import EngineError
from recommend.engine.interactions import EventLog

#: A dense N×N float32 matrix of this many products takes 400 MB; above it only sparse methods are used.
DENSE_LIMIT = 10_000


def user_item_matrix(log: EventLog, *, seen: float = 0.0) -> sparse.csr_matrix:
    """The U×N matrix of what people said of products: 1.0 where liked, ``seen`` where only seen."""
    users, items, weights = log.weighed_pairs(seen)
    return sparse.csr_matrix((weights, (users, items)), shape=(log.n_users, log.n_items))


def ease_weights(matrix: sparse.csr_matrix, regularisation: float) -> NDArray[np.float32]:
    """EASE's N×N weights: ``B = I - P / diag(P)`` with ``P = (XᵀX + λI)⁻¹``, zero diagonal."""
    n_items = matrix.shape[1]
    if n_items > DENSE_LIMIT:
        raise EngineError("too-many-items", f"Dense EASE is kept to {DENSE_LIMIT} products, not {n_items}.")
    gram = (matrix.T @ matrix).toarray().astype(np.float32)
    gram[np.diag_indices(n_items)] += regularisation
    factor = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = linalg.cho_solve(factor, np.eye(n_items, dtype=np.float32), overwrite_b=True, check_finite=False)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def cosine_weights(matrix: sparse.csr_matrix, shrinkage: float) -> sparse.csr_matrix:
    """Shrunk cosine of the columns, N×N sparse, zero diagonal: ``x_i·x_j / (‖x_i‖ ‖x_j‖ + shrinkage)``."""
    together = (matrix.T @ matrix).tocoo()
    squares = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
    apart = together.row != together.col
    rows, columns, shared = together.row[apart], together.col[apart], together.data[apart]
    weights = shared / (np.sqrt(squares[rows] * squares[columns]) + shrinkage)
    return sparse.csr_matrix((weights.astype(np.float32), (rows, columns)), shape=together.shape)
