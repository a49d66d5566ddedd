import numpy as np
import pytest

import minima as mi
from minima.train.tasks import TASKS, conv_net, shifted


@pytest.mark.parametrize("pools", [(True, True, True), (False, True, True), (False, False, False)])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 11), (28, 28)])
def test_network_fits_the_images(height, width, pools):
    """Catch a linear layer of the wrong size for odd images, and a pooling that is left out."""
    model = conv_net(height, width, 7, widths=(2, 3, 4), pools=pools)
    assert model(mi.init.rand(3, 1, height, width)).shape == (3, 7)
    assert sum(isinstance(layer, mi.nn.MaxPool2d) for layer in model) == sum(pools)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_network_of_a_task_takes_small_images(task):
    """Catch widths and poolings of different number, or poolings that leave nothing of 8x8."""
    model = conv_net(8, 8, 10, TASKS[task].widths, TASKS[task].pools)
    assert model(mi.init.rand(2, 1, 8, 8)).shape == (2, 10)


@pytest.mark.parametrize("size", [(3, 4), (4, 3), (1, 1)])
def test_network_needs_some_pixels(size):
    """Catch an image that pooling leaves nothing of."""
    with pytest.raises(ValueError, match="expected at least 4x4"):
        conv_net(*size, 10, widths=(1, 1), pools=(True, True))


def test_shift_moves_by_at_most_one_pixel():
    """Catch images that wrap around, mix with others or are not moved at all."""
    images = np.random.default_rng(0).uniform(1, 2, (200, 1, 8, 9)).astype(np.float32)
    moved = shifted(mi.asarray(images), mi.Generator(0)).numpy()
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    found = set()
    for before, after in zip(padded, moved, strict=True):
        places = [
            (down, right)
            for down in range(3)
            for right in range(3)
            if np.array_equal(before[:, down : down + 8, right : right + 9], after)
        ]
        assert len(places) == 1
        found.update(places)
    assert len(found) == 9
    assert moved.dtype == np.float32


def test_shift_is_repeatable():
    """Catch randomness from outside of the generator, which would spoil an exact resume."""
    images = mi.init.rand(5, 1, 8, 8)
    first, second = (shifted(images, mi.Generator(3)).tolist() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("task", "folder", "message"),
    [("digits", "data", "leave it out"), ("mnist", None, "needs --data FOLDER")],
)
def test_data_folder(task, folder, message):
    """Catch an option that is ignored, or a missing one that ends in a traceback."""
    with pytest.raises(ValueError, match=message) as caught:
        TASKS[task].load(folder)
    assert isinstance(caught.value, mi.MinimaError)
