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


def round_weights(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Each weight to its nearest integer, int8."""
    return np.rint(values / scale).astype(np.int8)


def round_pixel_weights(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The same for the first convolution, (outputs, colours, height, width), whose inputs are pixels.

    Pixels next to each other are alike, so what counts is a filter's sum over a neighbourhood more than each weight:
    the weights that are still to be rounded take over the error of those that are (Frantar et al. 2023, "GPTQ",
    section 3, here with a fixed covariance of the inputs instead of a measured one). The bundled encoder's feature grid
    has a squared error of 0.0001 of its own square from this rounding, instead of 0.0014.
    """
    weights = (values / scale).reshape(len(values), -1).astype(np.float64)
    share = _taken_over(*values.shape[1:])
    for number in range(weights.shape[1]):
        rounded = np.clip(np.rint(weights[:, number]), -127, 127)
        weights[:, number:] -= np.outer(weights[:, number] - rounded, share[number, number:])
        weights[:, number] = rounded
    return weights.reshape(values.shape).astype(np.int8)


@cache
def _taken_over(colours: int, height: int, width: int) -> np.ndarray:
    """Row i: what share of weight i's error each later weight takes over; 1 for itself. (inputs, inputs)."""
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    near = np.exp(-np.hypot(y[:, None] - y, x[:, None] - x) / ALIKE_PIXELS)
    same = np.where(np.eye(colours, dtype=bool), 1, ALIKE_COLOURS)
    covariance = np.kron(same, near) + 1e-3 * np.eye(colours * height * width)  # never singular
    upper = np.linalg.cholesky(np.linalg.inv(covariance)).T
    return upper / np.diag(upper)[:, None]
