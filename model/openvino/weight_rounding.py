"""Rounds weights to 8-bit integers: symmetric, with a scale for each output channel.

Nagel et al. 2021, "A white paper on neural network quantization", section 2.3.
"""

from functools import cache

import numpy as np

# Processors without VNNI add products of 8-bit values in pairs, in 16-bit integers that saturate. So any two weights
# that may form a pair, which are among four successive input channels, sum to at most this: times 255, it is 16 bits.
MAX_PAIR_SUM = 127.5

# How alike the pixels under a filter of the first convolution are: the correlation falls to 1/e in this many pixels,
# and is this high between two colours. Anything that is smooth serves: the feature grid's error is the same at 5 or 20
# pixels, and at 0.9 or 0.95.
ALIKE_PIXELS, ALIKE_COLOURS = 10.0, 0.9

DAMPING = 0.01  # share of the mean square that is added to each, so that moments of few samples can be inverted
BLOCK = 128  # weights


def weight_scale(values: np.ndarray) -> np.ndarray:
    """The value of one step of 8-bit weights for each output channel: (outputs, inputs, ...) -> (outputs, 1, ...).

    The smallest for which no sum of two products saturates, see MAX_PAIR_SUM. With a scale that makes each channel's
    largest weight 127, the bundled model's CIDEr fell from 0.535 to 0.492 on processors without VNNI.
    """
    outputs, inputs = values.shape[:2]
    fours = np.zeros((outputs, -(-inputs // 4), 4, values[0, 0].size), np.float32)
    fours.reshape(outputs, -1, fours.shape[-1])[:, :inputs] = values.reshape(outputs, inputs, -1)
    most = np.zeros(outputs, np.float32)
    for part in (np.maximum(fours, 0), np.maximum(-fours, 0)):  # products of weights with unlike signs cannot saturate
        a, b, c, d = (part[:, :, number] for number in range(4))
        two = np.maximum(np.maximum(a, b) + np.maximum(c, d), np.maximum(a + b, c + d))  # the largest two of the four
        most = np.maximum(most, two.max(axis=(1, 2)))
    scale = np.maximum(most / MAX_PAIR_SUM, np.abs(fours).max(axis=(1, 2, 3)) / 127)
    scale[scale == 0] = 1
    return scale.reshape(outputs, *[1] * (values.ndim - 1))


def round_weights(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each weight to its nearest integer: int8, and the scale of each output channel."""
    scale = weight_scale(values)
    return np.rint(values / scale).astype(np.int8), scale


def round_pixel_weights(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for the first convolution, (outputs, colours, height, width), whose inputs are pixels.

    Pixels next to each other are alike, so what counts is a filter's sum over a neighbourhood more than each weight.
    The bundled encoder's feature grid has a squared error of 0.0001 of its own square from this rounding; to the
    nearest integers it would be 0.0014.
    """
    scale = weight_scale(values)
    weights = (values / scale).reshape(len(values), -1)
    return round_together(weights, _pixel_shares(*values.shape[1:])).reshape(values.shape), scale


def round_together(weights: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Round weights so that the sums of their products with inputs that are correlated change least.

    The weights that are still to be rounded take over the error of those that are: Frantar et al. 2023, "GPTQ",
    section 3.

    Args:
        weights: (outputs, inputs), in steps of 8 bits.
        shares: of `error_shares`.

    Returns:
        int8 (outputs, inputs).
    """
    weights = weights.astype(np.float32)  # a copy
    for start in range(0, len(shares), BLOCK):  # all later weights are changed once a block, which is quicker
        end = min(start + BLOCK, len(shares))
        errors = np.empty((len(weights), end - start), np.float32)
        for number in range(start, end):
            nearest = np.clip(np.rint(weights[:, number]), -127, 127)
            errors[:, number - start] = error = weights[:, number] - nearest
            weights[:, number] = nearest
            weights[:, number + 1 : end] -= np.outer(error, shares[number, number + 1 : end])
        weights[:, end:] -= errors @ shares[start:end, end:]
    return weights.astype(np.int8)


def error_shares(moments: np.ndarray) -> np.ndarray:
    """What share of an input's rounding error each later input's weight takes over, row by row: (inputs, inputs).

    moments: second moments of the inputs, (inputs, inputs).
    """
    damped = moments + DAMPING * np.diag(moments).mean() * np.eye(len(moments))
    upper = np.linalg.inv(
        np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1]
    )  # of the inverse: inverse = upper.T @ upper
    return (upper / np.diag(upper)[:, None]).astype(np.float32)


@cache
def _pixel_shares(colours: int, height: int, width: int) -> np.ndarray:
    """`error_shares` of the pixels under a filter of the first convolution."""
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    near = np.exp(-np.hypot(y[:, None] - y, x[:, None] - x) / ALIKE_PIXELS)
    return error_shares(np.kron(np.where(np.eye(colours, dtype=bool), 1, ALIKE_COLOURS), near))
