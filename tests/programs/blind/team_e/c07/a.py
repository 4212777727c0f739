"""Sound classes from spectrograms: small CNN with batch normalisation. PyTorch modules and DataLoader."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

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

torch.manual_seed(13)


def block(c_in, c_out):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


net = nn.Sequential(block(1, 8), block(8, 16), block(16, 24), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                    nn.Linear(24, CLASSES))

decay = [p for p in net.parameters() if p.ndim > 1]
no_decay = [p for p in net.parameters() if p.ndim <= 1]
opt = torch.optim.SGD([{"params": decay, "weight_decay": WD}, {"params": no_decay, "weight_decay": 0.0}],
                      lr=LR, momentum=MU)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[DROP_AT], gamma=DROP_BY)
criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTH)

train = TensorDataset(torch.from_numpy(spec[:N_TRAIN]), torch.from_numpy(label[:N_TRAIN]))
loader = DataLoader(train, batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    net.train()
    seen = 0.0
    for x, y in loader:
        opt.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        opt.step()
        seen += loss.item() * len(x)
    sched.step()
    print(f"epoch {epoch + 1} train loss {seen / N_TRAIN:.4f}")

net.eval()
with torch.no_grad():
    z = net(torch.from_numpy(spec[N_TRAIN:]))
    y = torch.from_numpy(label[N_TRAIN:])
    print(f"test cross-entropy {nn.functional.cross_entropy(z, y).item():.4f}"
          f" accuracy {(z.argmax(1) == y).float().mean().item():.4f}")
