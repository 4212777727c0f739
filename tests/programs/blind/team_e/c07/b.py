"""The spectrogram CNN written out: a dictionary of tensors, functional layers, the update by hand."""
import math
import numpy as np
import torch
import torch.nn.functional as F

CLASSES, FREQ, TIME = 4, 24, 24
N_TRAIN, N_TEST, BATCH, EPOCHS = 640, 240, 32, 9
LR, MU, WD, SMOOTH = 0.05, 0.9, 1e-3, 0.1
DROP_AT, DROP_BY = 6, 0.1          # epochs done before the rate falls, and its factor


def make_spectrograms(seed=404):
    """Log energies of: rising tone, falling tone, two steady tones, clicks; all in noise."""
    r = np.random.RandomState(seed)
    n = N_TRAIN + N_TEST
    label = r.randint(0, CLASSES, n)
    f = np.arange(FREQ)[:, None]
    t = np.arange(TIME)[None, :]
    out = np.zeros((n, 1, FREQ, TIME))
    for i, c in enumerate(label):
        width = r.uniform(0.8, 1.6)
        if c < 2:
            slope = r.uniform(0.25, 0.8) * (1 if c == 0 else -1)
            centre = r.uniform(7, 17) + slope * (t - TIME / 2)
            e = np.exp(-((f - centre) / width) ** 2)
        elif c == 2:
            a, b = r.uniform(3, 11), r.uniform(13, 21)
            e = np.exp(-((f - a) / width) ** 2) + np.exp(-((f - b) / width) ** 2) + 0 * t
        else:
            e = sum(np.exp(-((t - r.uniform(2, 22)) / width) ** 2) for _ in range(2)) + 0 * f
        out[i, 0] = np.log(0.05 + e * r.uniform(0.25, 0.9) + 0.35 * r.gamma(1.0, 1.0, (FREQ, TIME)))
    out = (out - out[:N_TRAIN].mean()) / out[:N_TRAIN].std()
    return out.astype("float32"), label.astype("int64")


spec, label = make_spectrograms()

gen = torch.Generator().manual_seed(13)
CHANNELS = [1, 8, 16, 24]


def uniform(shape, fan_in):
    k = 1.0 / math.sqrt(fan_in)
    return (torch.rand(shape, generator=gen) * 2 * k - k).requires_grad_(True)


params, stats = {}, {}
for i, (ci, co) in enumerate(zip(CHANNELS[:-1], CHANNELS[1:])):
    params[f"conv{i}"] = uniform((co, ci, 3, 3), ci * 9)
    params[f"gamma{i}"] = torch.ones(co, requires_grad=True)
    params[f"beta{i}"] = torch.zeros(co, requires_grad=True)
    stats[f"mean{i}"] = torch.zeros(co)
    stats[f"var{i}"] = torch.ones(co)
params["W"] = uniform((CLASSES, CHANNELS[-1]), CHANNELS[-1])
params["b"] = uniform((CLASSES,), CHANNELS[-1])


def network(x, training):
    for i in range(3):
        x = F.conv2d(x, params[f"conv{i}"], padding=1)
        if training:
            m = x.mean(dim=(0, 2, 3))
            v = x.var(dim=(0, 2, 3), unbiased=False)
            with torch.no_grad():
                count = x.numel() / x.shape[1]
                stats[f"mean{i}"].mul_(0.9).add_(0.1 * m)
                stats[f"var{i}"].mul_(0.9).add_(0.1 * v * count / (count - 1))
        else:
            m, v = stats[f"mean{i}"], stats[f"var{i}"]
        x = (x - m[:, None, None]) / torch.sqrt(v[:, None, None] + 1e-5)
        x = x * params[f"gamma{i}"][:, None, None] + params[f"beta{i}"][:, None, None]
        x = F.max_pool2d(torch.clamp(x, min=0.0), 2)
    return x.mean(dim=(2, 3)) @ params["W"].T + params["b"]


def smoothed_loss(z, y):
    target = F.one_hot(y, CLASSES).float() * (1 - SMOOTH) + SMOOTH / CLASSES
    return -(target * torch.log_softmax(z, 1)).sum(1).mean()


X, Y = torch.from_numpy(spec), torch.from_numpy(label)
velocity = {k: torch.zeros_like(p) for k, p in params.items()}

for epoch in range(EPOCHS):
    lr = LR if epoch < DROP_AT else LR * DROP_BY
    seen = 0.0
    for idx in torch.randperm(N_TRAIN, generator=gen).split(BATCH):
        loss = smoothed_loss(network(X[idx], True), Y[idx])
        grads = torch.autograd.grad(loss, list(params.values()))
        with torch.no_grad():
            for (k, p), g in zip(params.items(), grads):
                if p.ndim > 1:
                    g = g + WD * p
                velocity[k] = MU * velocity[k] + g
                p -= lr * velocity[k]
        seen += loss.item() * len(idx)
    print(f"epoch {epoch + 1} train loss {seen / N_TRAIN:.4f}")

with torch.no_grad():
    z, y = network(X[N_TRAIN:], False), Y[N_TRAIN:]
    print(f"test cross-entropy {F.cross_entropy(z, y).item():.4f}"
          f" accuracy {(z.argmax(1) == y).float().mean().item():.4f}")
