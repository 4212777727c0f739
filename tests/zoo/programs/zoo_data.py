"""Data and arguments that the programs share: seeded generators and scikit-learn's bundled sets."""

import argparse
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def arguments():
    """``(seed, healthy)`` of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--healthy", action="store_true", help="the same program, the fault repaired")
    known = parser.parse_args()
    return known.seed, known.healthy


def bundled(name, scaled=True, seed=0, test=0.25):
    """(x_train, y_train, x_test, y_test) of a set that comes with scikit-learn, standardised or raw."""
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    data = getattr(datasets, f"load_{name}")()
    x, y = data.data.astype("float32"), data.target
    if scaled:
        x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=test, random_state=seed)
    return x_train, y_train, x_test, y_test


def digits(seed=0, images=False, scaled=True):
    """The 8x8 digits in 0..1 (or 0..16 if not scaled), as rows or as images (N, 8, 8)."""
    x, y, x_test, y_test = bundled("digits", scaled=False, seed=seed)
    if scaled:
        x, x_test = x / 16, x_test / 16
    if images:
        x, x_test = x.reshape(-1, 8, 8), x_test.reshape(-1, 8, 8)
    return x, y.astype("int64"), x_test, y_test.astype("int64")


def regression(samples=1024, features=8, noise=0.1, seed=0):
    """A smooth function of a few features plus noise; targets of unit scale."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, features)).astype("float32")
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.3 * x[:, 3] + noise * rng.standard_normal(samples)
    return x, y.astype("float32")


def blobs(samples=1024, features=10, classes=3, spread=1.0, seed=0):
    """Gaussian clusters, one per class."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.standard_normal((classes, features))
    y = rng.integers(0, classes, samples)
    x = centres[y] + spread * rng.standard_normal((samples, features))
    return x.astype("float32"), y.astype("int64")


def moons(samples=600, noise=0.15, seed=0):
    """Two half circles, labels 0 and 1."""
    from sklearn.datasets import make_moons

    x, y = make_moons(samples, noise=noise, random_state=seed)
    return x.astype("float32"), y.astype("float32")


def sequences(samples=1024, length=20, words=50, seed=0):
    """Integer sequences; the label says whether low words outnumber high ones."""
    rng = np.random.default_rng(seed)
    bias = rng.random((samples, 1))
    x = np.where(rng.random((samples, length)) < bias, rng.integers(1, words // 2, (samples, length)), 0)
    x = np.where(x == 0, rng.integers(words // 2, words, (samples, length)), x)
    y = ((x < words // 2).sum(1) > length // 2).astype("int64")
    return x.astype("int64"), y


def waves(samples=512, length=30, seed=0):
    """Noisy sine waves, shape (samples, length, 1), and the value that follows each."""
    rng = np.random.default_rng(seed)
    phase, rate = rng.uniform(0, 6.28, (samples, 1)), rng.uniform(0.1, 0.4, (samples, 1))
    wave = np.sin(phase + rate * np.arange(length + 1)) + 0.05 * rng.standard_normal((samples, length + 1))
    return wave[:, :-1, None].astype("float32"), wave[:, -1].astype("float32")
