"""Word vectors from the training texts alone: which words stand near which.

Words that are used alike begin with vectors that are alike, so a network that sees few labels need not
find that out from them.

Source: Levy, Goldberg and Dagan, Improving Distributional Similarity with Lessons Learned from Word
Embeddings (2015): positive pointwise mutual information, context distribution smoothing, and the square
root of the singular values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

WINDOW = 5  # words to either side; one at distance d counts 1/d
SMOOTHING = 0.75  # exponent of the context counts


def word_vectors(texts: Sequence[Tensor], words: int, size: int, *, seed: int) -> Tensor:
    """Vectors of unit variance for every word.

    Args:
        texts: Each (T,), numbers of words.
        words: V, how many words there are.
        size: E, length of a vector.
        seed: Of the randomised decomposition.

    Returns:
        (V, E), float32; zero for words that stand near no other, and in columns beyond the rank.
    """
    counts = _near(texts, words)
    information = _positive_information(counts)
    rank = min(size, words - 1)
    vectors = np.zeros((words, size), dtype=np.float32)
    if information.nnz:
        left, values, _ = randomized_svd(information, rank, random_state=seed)
        vectors[:, :rank] = left * np.sqrt(values)
        vectors[np.asarray(counts.sum(axis=1)).ravel() == 0] = 0
        vectors /= vectors.std()
    return torch.from_numpy(vectors)


def _near(texts: Sequence[Tensor], words: int) -> sparse.csr_array:
    """How often each pair of words stands near each other, weighted by nearness: (V, V), symmetric."""
    first, second, weight = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for text in texts:
        numbers = text.numpy()
        for distance in range(1, min(WINDOW, len(numbers) - 1) + 1):
            first.append(numbers[:-distance])
            second.append(numbers[distance:])
            weight.append(np.full(len(numbers) - distance, 1 / distance))
    rows, columns, values = (np.concatenate(parts) for parts in (first, second, weight))
    counts = sparse.coo_array((values, (rows, columns)), shape=(words, words)).tocsr()
    return sparse.csr_array(counts + counts.T)


def _positive_information(counts: sparse.csr_array) -> sparse.csr_array:
    """The logarithm of P(a, b) / (P(a) P(b)) where that is positive, with the smoothed P(b)."""
    of_word = np.asarray(counts.sum(axis=1)).ravel()
    context = of_word**SMOOTHING
    pairs = counts.tocoo()
    rows, columns = pairs.coords
    information = np.log(pairs.data * context.sum() / (of_word[rows] * context[columns]))
    kept = information > 0
    return sparse.csr_array((information[kept], (rows[kept], columns[kept])), shape=counts.shape)
