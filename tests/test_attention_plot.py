"""Heat maps of the attention weights of each word."""

import numpy as np

from model.attention_plot import LABEL, TILE, attention_picture, heat_map, stack

PHOTO = np.full((224, 224, 3), 200, np.uint8)


def one_cell(row: int, column: int) -> np.ndarray:
    weights = np.zeros((7, 7), np.float32)
    weights[row, column] = 0.3
    return weights


def test_the_attended_cell_is_the_brightest_place():
    tile = np.asarray(heat_map(PHOTO, one_cell(row=1, column=5))).sum(axis=2)
    row, column = np.unravel_index(tile.argmax(), tile.shape)
    assert (int(row) * 7 // TILE, int(column) * 7 // TILE) == (1, 5)


def test_a_word_without_attention_stays_dark():
    tile = np.asarray(heat_map(PHOTO, np.zeros((7, 7))))
    assert tile.max() < 100


def test_every_word_has_a_tile():
    attention = np.stack([one_cell(0, 0)] * 7)
    picture = np.asarray(
        attention_picture(PHOTO, "A sentence.", "one two three four five six seven".split(), attention)
    )
    lit = (picture == np.asarray(heat_map(PHOTO, one_cell(0, 0)))[0, 0]).all(axis=2)
    assert picture.shape[0] > 2 * (TILE + LABEL)  # seven words need a second line
    assert lit.sum() >= 7


def test_pictures_are_stacked_one_above_the_other():
    pictures = [attention_picture(PHOTO, "Word.", ["word"], one_cell(3, 3)[None])] * 3
    sheet = stack(pictures)
    assert sheet.size == (pictures[0].width, 3 * pictures[0].height)
