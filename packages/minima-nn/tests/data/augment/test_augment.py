"""Augmentations: what every one keeps to, then each on its own."""

import numpy as np
import pytest

import minima as mi
from minima.data import augment

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 3, 8, 10)).astype(np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2])

#: name, made with a generator, shape that comes of (6, 3, 8, 10)
ROWS = [
    ("flip", lambda g: augment.RandomHorizontalFlip(generator=g), (6, 3, 8, 10)),
    ("upside down", lambda g: augment.RandomVerticalFlip(0.5, g), (6, 3, 8, 10)),
    ("crop", lambda g: augment.RandomCrop((5, 4), generator=g), (6, 3, 5, 4)),
    ("padded crop", lambda g: augment.RandomCrop(8, 2, generator=g), (6, 3, 8, 8)),
    ("reflected", lambda g: augment.RandomCrop(8, 2, 0, "reflect", g), (6, 3, 8, 8)),
    ("rotation", lambda g: augment.RandomRotation(30, generator=g), (6, 3, 8, 10)),
    ("cutout", lambda g: augment.Cutout(3, generator=g), (6, 3, 8, 10)),
    ("erasing", lambda g: augment.RandomErasing(generator=g), (6, 3, 8, 10)),
    ("jitter", lambda g: augment.ColorJitter(0.4, 0.4, g), (6, 3, 8, 10)),
    ("mixup", lambda g: augment.Mixup(3, generator=g).change, (6, 3, 8, 10)),
    ("cutmix", lambda g: augment.CutMix(3, generator=g).change, (6, 3, 8, 10)),
    ("pad", lambda g: augment.Pad((1, 2)), (6, 3, 12, 12)),
    ("center", lambda g: augment.CenterCrop(7), (6, 3, 7, 7)),
    ("resize", lambda g: augment.Resize((4, 20)), (6, 3, 4, 20)),
    ("nearest", lambda g: augment.Resize(4, "nearest"), (6, 3, 4, 4)),
    ("normalize", lambda g: augment.Normalize([0.5] * 3, [0.2] * 3), (6, 3, 8, 10)),
]
BYTES = "flip,upside down,crop,padded crop,cutout,erasing,pad,center,resize,nearest".split(",")


@pytest.mark.parametrize(("name", "make", "shape"), ROWS, ids=[row[0] for row in ROWS])
def test_what_holds_for_all(name, make, shape):
    """Catch a batch that is changed in place, another type or shape, and hidden state."""
    before = IMAGES.copy()
    out = make(mi.Generator(1))(IMAGES)
    assert (before == IMAGES).all()
    assert type(out) is np.ndarray
    assert (out.shape, out.dtype) == (shape, IMAGES.dtype)
    assert (out == make(mi.Generator(1))(IMAGES)).all()
    mi.manual_seed(5)
    first = make(None)(IMAGES)
    mi.manual_seed(5)
    assert (make(None)(IMAGES) == first).all()
    assert not np.shares_memory(out, IMAGES)
    assert make(mi.Generator(1))(IMAGES[:0]).shape == (0, *shape[1:])
    double = make(mi.Generator(1))(IMAGES.astype(np.float64))
    assert double.dtype == np.float64
    np.testing.assert_allclose(double, out, rtol=1e-5, atol=1e-5)
    if name in BYTES:
        whole = (IMAGES * 255).astype(np.uint8)
        assert make(mi.Generator(1))(whole).dtype == np.uint8
    if "mix" not in name:
        tensor = make(mi.Generator(1))(mi.Tensor(IMAGES))
        assert isinstance(tensor, mi.Tensor)
        np.testing.assert_array_equal(tensor.numpy(), out)


RANDOM = [row for row in ROWS if row[0] not in "pad center resize nearest normalize".split()]


@pytest.mark.parametrize(("name", "make", "shape"), RANDOM, ids=[row[0] for row in RANDOM])
def test_calls_differ(name, make, shape):
    """Catch a draw that is made once and for all."""
    change = make(mi.Generator(1))
    outs = [change(IMAGES) for _ in range(4)]
    assert any((out != outs[0]).any() for out in outs[1:])


def test_flips_each_image_on_its_own():
    """Catch one draw for the whole batch, and shares other than p."""
    images = np.tile(np.arange(4.0), (400, 1, 2, 1))
    out = augment.RandomHorizontalFlip(0.25, mi.Generator(0))(images)
    flipped = out[:, 0, 0, 0] == 3
    assert (out[flipped] == images[flipped][..., ::-1]).all()
    assert (out[~flipped] == images[~flipped]).all()
    assert flipped.mean() == pytest.approx(0.25, abs=0.06)
    down = augment.RandomVerticalFlip(1.0)(IMAGES)
    assert (down == IMAGES[:, :, ::-1]).all()


def test_crops_are_windows():
    """Catch parts that are no window of the padded image, and windows never drawn."""
    image = np.arange(20.0).reshape(1, 1, 4, 5)
    crop = augment.RandomCrop((3, 3), padding=(1, 0), fill=-1, generator=mi.Generator(0))
    padded = np.pad(image, ((0, 0), (0, 0), (0, 0), (1, 1)), constant_values=-1)
    windows = {padded[0, 0, i : i + 3, j : j + 3].tobytes() for i in range(2) for j in range(5)}
    found = {out.tobytes() for out in crop(np.repeat(image, 300, 0))}
    assert found == windows


@pytest.mark.parametrize(
    ("padding", "sides"),
    [(1, (1, 1, 1, 1)), ((1, 2), (1, 2, 1, 2)), ((1, 2, 3, 0), (1, 2, 3, 0))],
)
@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "circular"])
def test_pad(padding, sides, mode):
    """Catch sides that are mixed up: left, top, right, bottom."""
    left, top, right, bottom = sides
    name = {"circular": "wrap"}.get(mode, mode)
    expected = np.pad(IMAGES, ((0, 0), (0, 0), (top, bottom), (left, right)), mode=name)
    assert (augment.Pad(padding, mode=mode)(IMAGES) == expected).all()


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (-90, 3), (0, 0)])
def test_right_angles(degrees, turns):
    """Catch a rotation the wrong way, about another point than the centre, or by radians."""
    square = IMAGES[..., :8]
    out = augment.RandomRotation((degrees, degrees))(square)
    np.testing.assert_allclose(out, np.rot90(square, turns, (2, 3)), atol=1e-5)


def test_rotation_between_pixels():
    """Catch the nearest pixel where four should be weighed, and edges that are not filled."""
    ramp = np.tile(np.arange(9.0), (1, 1, 9, 1))
    out = augment.RandomRotation((30, 30), fill=-5.0)(ramp)[0, 0]
    y, x = np.mgrid[-4:5, -4:5]
    a = np.deg2rad(30)
    exact = x * np.cos(a) - y * np.sin(a) + 4
    inside = (exact >= 0) & (exact <= 8)
    inside &= abs(y * np.cos(a) + x * np.sin(a)) <= 4
    np.testing.assert_allclose(out[inside], exact[inside], atol=1e-9)
    assert out[0, 0] == -5.0


def test_cutout_covers_whole_squares():
    """Catch a hole of another size, or at one place in all images."""
    images = np.ones((200, 2, 9, 9))
    out = augment.Cutout(3, fill=0.5, generator=mi.Generator(0))(images)
    holes = out == 0.5
    assert (holes[:, 0] == holes[:, 1]).all()
    areas = holes[:, 0].sum((1, 2))
    assert areas.max() == 9
    assert areas.min() == 4
    assert len({hole.tobytes() for hole in holes}) > 50
    several = augment.Cutout(1, holes=5, fill=0.5, generator=mi.Generator(0))(images)
    assert (several == 0.5).sum((1, 2, 3)).max() == 10


def test_erasing_follows_p_scale_and_ratio():
    """Catch rectangles outside of the ranges asked for."""
    images = np.ones((300, 1, 40, 40))
    erase = augment.RandomErasing(0.5, (0.1, 0.2), (0.5, 2.0), generator=mi.Generator(0))
    holes = erase(images)[:, 0] == 0
    erased = holes.any((1, 2))
    assert erased.mean() == pytest.approx(0.5, abs=0.1)
    areas = holes[erased].mean((1, 2))
    assert 0.08 < areas.min() < areas.max() < 0.22
    ratio = holes[erased].any(2).sum(1) / holes[erased].any(1).sum(1)
    assert 0.4 < ratio.min() < 0.8 < 1.3 < ratio.max() < 2.5


def test_jitter():
    """Catch brightness that shifts, contrast about another point, values outside of [0, 1]."""
    image = np.array([0.2, 0.4]).reshape(1, 1, 1, 2)
    bright = augment.ColorJitter(brightness=(1.5, 1.5))(image)
    np.testing.assert_allclose(bright.ravel(), [0.3, 0.6])
    contrast = augment.ColorJitter(contrast=(2, 2))(image)
    np.testing.assert_allclose(contrast.ravel(), [0.1, 0.5])
    assert augment.ColorJitter(brightness=(9, 9))(image).max() == 1.0
    assert augment.ColorJitter()(image).tolist() == image.tolist()


def test_normalize():
    """Catch a mean that meets another channel."""
    out = augment.Normalize([0.1, 0.2, 0.3], [1.0, 2.0, 4.0])(IMAGES)
    np.testing.assert_allclose(out[:, 2], (IMAGES[:, 2] - 0.3) / 4, rtol=1e-5, atol=1e-6)


def test_to_float():
    """Catch axes in another order, and bytes that are not scaled."""
    pixels = RNG.integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)
    out = augment.ToFloat()(pixels)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, np.moveaxis(pixels, -1, 1) / 255, rtol=1e-6)
    assert augment.ToFloat()(pixels[..., 0]).shape == (2, 1, 4, 5)
    assert augment.ToFloat(batch=False)(pixels[0]).shape == (3, 4, 5)
    tensor = augment.ToFloat()(mi.Tensor(pixels.astype(np.float64)))
    assert tensor.dtype == "float64"
    assert float(tensor.numpy().max()) > 1
    assert repr(augment.ToFloat()) == "ToFloat(batch=True)"


@pytest.mark.parametrize("kind", [augment.Mixup, augment.CutMix])
@pytest.mark.parametrize("seed", range(6))
def test_labels_follow_the_images(kind, seed):
    """Catch labels mixed with another image's, or by another share than the pixels."""
    images = np.zeros((3, 3, 16, 16), np.float32)
    images[np.arange(3), np.arange(3)] = 1.0  # image i is of colour i
    out, labels = kind(3, generator=mi.Generator(seed))(images, np.arange(3))
    np.testing.assert_allclose(out.mean((2, 3)), labels, atol=1e-6)
    np.testing.assert_allclose(labels.sum(1), 1, rtol=1e-6)
    given = kind(generator=mi.Generator(seed))(mi.Tensor(images), mi.Tensor(np.eye(3)))
    assert all(isinstance(part, mi.Tensor) for part in given)
    np.testing.assert_allclose(given[1].numpy(), labels, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_beta(alpha):
    """Catch another distribution than Beta(alpha, alpha): its mean and its variance."""
    mix = augment.Mixup(2, alpha, mi.Generator(0))
    shares = [mix._share() for _ in range(1500)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.04)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.12)


def test_compose():
    """Catch a step that is left out, and labels that get lost on the way."""
    steps = [augment.Pad(1), augment.Mixup(3, generator=mi.Generator(0))]
    images, labels = augment.Compose(steps[1:])(IMAGES, LABELS)
    assert (images.shape, labels.shape) == ((6, 3, 8, 10), (6, 3))
    assert augment.Compose([steps[0], steps[0]])(IMAGES).shape == (6, 3, 12, 14)
    assert augment.Compose([])(IMAGES) is IMAGES
    assert "Pad(padding=(1, 1, 1, 1)" in repr(augment.Compose(steps))
    assert repr(augment.RandomHorizontalFlip()) == "RandomHorizontalFlip(p=0.5)"


def test_in_a_collate_fn_with_workers():
    """Catch an augmentation that cannot be sent to a worker."""
    change = augment.Compose([augment.RandomCrop(4), augment.Normalize([0.0] * 3, [1.0] * 3)])
    data = mi.data.transport.loads(mi.data.transport.dumps(change))
    assert data(IMAGES).shape == (6, 3, 4, 4)


ONE = np.ones((1, 1, 4, 4))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: augment.RandomHorizontalFlip(1.5), ValueError, "RandomHorizontalFlip: p is 1.5"),
        (lambda: augment.RandomVerticalFlip(-0.1), ValueError, "RandomVerticalFlip: p is -0.1"),
        (lambda: augment.RandomVerticalFlip("x"), ValueError, "p is 'x'"),
        (lambda: augment.RandomHorizontalFlip()(ONE[0]), ValueError, r"\(1, 4, 4\); expected \(N"),
        (lambda: augment.RandomHorizontalFlip()([1]), TypeError, "images is a list"),
        (lambda: augment.Pad(1)(ONE.astype(complex)), TypeError, "Pad: images have dtype complex"),
        (lambda: augment.RandomCrop(0), ValueError, "RandomCrop: size is 0"),
        (lambda: augment.RandomCrop((1, 2, 3)), ValueError, "RandomCrop: size is"),
        (lambda: augment.RandomCrop(5)(ONE), ValueError, "4 x 4 pixels; .*5 x 5"),
        (lambda: augment.CenterCrop((4, 5))(ONE), ValueError, "CenterCrop: images are 4 x 4"),
        (lambda: augment.CenterCrop(2.0), ValueError, "CenterCrop: size is 2.0"),
        (lambda: augment.Pad(-1), ValueError, "Pad: padding is -1"),
        (lambda: augment.Pad((1, 2, 3)), ValueError, "Pad: padding is"),
        (lambda: augment.Pad(1, mode="mirror"), ValueError, "Pad: mode is 'mirror'"),
        (lambda: augment.Pad(4, mode="reflect")(ONE), ValueError, "Pad: images have shape"),
        (lambda: augment.Pad(5, mode="circular")(ONE), ValueError, "Pad: images have shape"),
        (lambda: augment.Resize(0), ValueError, "Resize: size is 0"),
        (lambda: augment.Resize(2, "cubic"), ValueError, "Resize: mode is 'cubic'"),
        (lambda: augment.Resize(2, "nearest", True), ValueError, "antialias with mode 'nearest'"),
        (lambda: augment.Resize(2)(ONE[..., :0]), ValueError, "Resize: .* expected some pixels"),
        (lambda: augment.RandomRotation((3, 1)), ValueError, "RandomRotation: degrees are"),
        (lambda: augment.RandomRotation(float("nan")), ValueError, "degrees is nan"),
        (lambda: augment.RandomRotation(3)(ONE.astype(int)), TypeError, "ToFloat before"),
        (lambda: augment.Cutout(0), ValueError, "Cutout: size is 0"),
        (lambda: augment.Cutout(1, holes=0), ValueError, "Cutout: holes is 0"),
        (lambda: augment.RandomErasing(scale=(0.5, 0.1)), ValueError, "scale is"),
        (lambda: augment.RandomErasing(scale=(0.5, 1.1)), ValueError, "at most 1"),
        (lambda: augment.RandomErasing(ratio=(0.0, 1.0)), ValueError, "ratio is"),
        (lambda: augment.ColorJitter(-1), ValueError, "ColorJitter: brightness is -1"),
        (lambda: augment.ColorJitter(contrast=(2, 1)), ValueError, "ColorJitter: contrast is"),
        (lambda: augment.ColorJitter()(ONE.astype(np.uint8)), TypeError, "ColorJitter: .*uint8"),
        (lambda: augment.Normalize([0.0], [0.0]), ValueError, "no std of 0"),
        (lambda: augment.Normalize([0.0], [1.0, 1.0]), ValueError, "as many of each"),
        (lambda: augment.Normalize([0.0] * 3, [1.0] * 3)(ONE), ValueError, "have 1 channels"),
        (lambda: augment.Mixup(0), ValueError, "Mixup: num_classes is 0"),
        (lambda: augment.CutMix(2, 0), ValueError, "CutMix: alpha is 0"),
        (lambda: augment.Mixup(2)(ONE), TypeError, "Mixup: labels is a NoneType"),
        (lambda: augment.Mixup(2)(ONE, np.array([2])), ValueError, "values 2 to 2"),
        (lambda: augment.Mixup(2)(ONE, np.array([0.5])), ValueError, "dtype float64"),
        (lambda: augment.Mixup()(ONE, np.array([0])), ValueError, "num_classes is not given"),
        (lambda: augment.Mixup(2)(ONE, np.array([0, 1])), ValueError, r"labels have shape \(2,\)"),
        (lambda: augment.ToFloat()(np.ones((2, 2))), ValueError, r"ToFloat: .*\(2, 2\)"),
        (lambda: augment.ToFloat()(np.ones((2, 2, 2), int)), TypeError, "ToFloat: .*int64"),
        (lambda: augment.Compose([3]), TypeError, r"Compose: transforms\[0\] is a int"),
    ],
)
def test_bad_calls(make, error, message):
    """Catch nonsense in silence, or an error that does not name class and argument."""
    with pytest.raises(error, match=message) as caught:
        make()
    assert isinstance(caught.value, mi.MinimaError)
