"""Command line ``name=value ...`` of the programs, and the data that they share."""

import ast
import sys
from types import SimpleNamespace

import numpy as np


def settings(**defaults):
    """The defaults, with what the command line sets instead."""
    told = dict(word.split("=", 1) for word in sys.argv[1:])
    unknown = set(told) - set(defaults)
    if unknown:
        raise SystemExit(f"no such setting: {sorted(unknown)}")
    for name, text in told.items():
        try:
            defaults[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            defaults[name] = text
    return SimpleNamespace(**defaults)


def table(rows=630, scale="standard", sort=False):
    """Regression: eight features of different units; a target of a few of them."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, 8)) * np.array([1, 2, 5, 0.5, 1, 3, 1, 10]) + np.array([0, 1, 5, 2, -1, 0, 3, 20])
    z = (x - x.mean(0)) / x.std(0)
    y = z[:, 0] - 0.5 * z[:, 1] * z[:, 2] + np.sin(z[:, 3]) + 0.1 * rng.normal(size=rows)
    if scale == "standard":
        x = z
    elif scale == "minmax":
        x = (x - x.min(0)) / (x.max(0) - x.min(0))
    if sort:
        order = np.argsort(y)
        x, y = x[order], y[order]
    return x.astype("float32"), y.astype("float32")


def images(rows=640, scale="unit", sort=False):
    """Four classes of noisy 12 x 12 images with one channel, bytes at first; (rows, 12, 12, 1)."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 4, rows)
    if sort:
        y = np.sort(y)
    grid = np.arange(12)
    x = rng.normal(90, 40, size=(rows, 12, 12))
    for i, label in enumerate(y):
        wave = np.sin(grid * (0.5 + 0.4 * (label % 2)) + rng.uniform(0, 6))
        x[i] += 60 * (wave[:, None] if label < 2 else wave[None, :])
    x = np.clip(x, 0, 255)
    if scale == "unit":
        x = x / 255
    elif scale == "standard":
        x = (x - x.mean()) / x.std()
    return x[..., None].astype("float32"), y.astype("int64")


def sentences(rows=512, length=20, words=40):
    """Sequences of words; the class is whether small words outnumber large ones in the second half."""
    rng = np.random.default_rng(7)
    x = rng.integers(1, words, size=(rows, length))
    y = (x[:, length // 2 :] < words // 2).mean(axis=1) > 0.5
    return x.astype("int64"), y.astype("int64")


def blobs(rows=600, classes=3, balance=True):
    """Classes that overlap; without ``balance`` the last is rare."""
    rng = np.random.default_rng(9)
    shares = [1 / classes] * classes if balance else [0.5, 0.4, 0.1]
    y = rng.choice(classes, size=rows, p=shares)
    x = rng.normal(size=(rows, 10)) + 1.2 * np.eye(classes, 10)[y] + 0.5 * rng.normal(size=(classes, 10))[y]
    return x.astype("float32"), y.astype("int64")
