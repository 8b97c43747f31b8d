"""Products without events: their collaborative vectors are read off their content by a ridge regression.

Content → factors, as in Gantner et al., "Learning Attribute-to-Feature Mappings for Cold-Start Recommendations"
(ICDM 2010): what pictures and texts say of the products that sell is used to place those that have not sold yet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommend.engine.svd import ItemFactors

#: With fewer products to learn from, a map of dozens of columns would be noise.
LEAST_EXAMPLES = 20


def place_cold_items(
    factors: ItemFactors,
    content: NDArray[np.float32] | None,
    warm: NDArray[np.bool_],
    *,
    regularisation: float,
) -> ItemFactors:
    """Fill the vectors and biases of products that are not ``warm`` from their content (N×m, rows of unit length).

    A product without content (a zero row), or a shop with too few examples, keeps zeros: popularity and style carry it.
    """
    if content is None or not content.shape[1]:
        return factors
    described = np.abs(content).sum(axis=1) > 0
    examples = warm & described
    targets = ~warm & described
    if examples.sum() < LEAST_EXAMPLES or not targets.any():
        return factors
    known = np.column_stack([factors.vectors[examples], factors.biases[examples]]).astype(np.float64)
    inputs = content[examples].astype(np.float64)
    centre, mean = inputs.mean(axis=0), known.mean(axis=0)
    inputs = inputs - centre
    gram = inputs.T @ inputs + regularisation * np.eye(inputs.shape[1])
    mapping = np.linalg.solve(gram, inputs.T @ (known - mean))
    guessed = (content[targets] - centre) @ mapping + mean
    vectors, biases = factors.vectors.copy(), factors.biases.copy()
    vectors[targets], biases[targets] = guessed[:, :-1], guessed[:, -1]
    return ItemFactors(vectors, biases)
