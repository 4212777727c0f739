"""Sound events from log spectrograms with a small CNN: PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


CLASSES = 5                     # rising, falling, steady, warbling, clicks
N, FRAME, HOP = 1056, 64, 32


def spectrogram(sig):
    starts = np.arange(0, N - FRAME + 1, HOP)
    frames = sig[:, starts[:, None] + np.arange(FRAME)] * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames, axis=-1))[:, :, 1:] ** 2
    return np.log(power + 1e-2)                       # (n, 32 frames, 32 bands)


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    t = np.arange(N) / N
    y = rng.randint(0, CLASSES, n)
    sig = np.zeros((n, N))
    for i, c in enumerate(y):
        f = rng.uniform(60, 350)
        sweep = rng.uniform(60, 150)
        if c == 0:
            phase = f * t + sweep * t ** 2 / 2
        elif c == 1:
            phase = (f + sweep) * t - sweep * t ** 2 / 2
        elif c == 2:
            phase = f * t
        else:
            phase = f * t + sweep / 25 * np.sin(2 * np.pi * 4 * t + rng.uniform(0, 6))
        sig[i] = np.sin(2 * np.pi * phase + rng.uniform(0, 6))
        if c == 4:
            sig[i] = 3 * rng.randn(N) * ((t * rng.randint(5, 10) + rng.rand()) % 1 < 0.12)
    s = spectrogram(sig + 0.5 * rng.randn(n, N))
    return ((s - 1.0) / 2.5).astype("float32"), y.astype("int64")


x_tr, y_tr = make_data(500, 70)
x_te, y_te = make_data(300, 71)
BATCH, EPOCHS = 32, 9

torch.manual_seed(33)

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1, bias=False),
    nn.GroupNorm(4, 8, eps=1e-5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1, bias=False),
    nn.GroupNorm(4, 16, eps=1e-5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.3),
    nn.Linear(16 * 8 * 8, CLASSES),
)
for m in model:
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
    elif isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.0, nesterov=False)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
data = TensorDataset(torch.from_numpy(x_tr).unsqueeze(1), torch.from_numpy(y_tr))
loader = DataLoader(data, batch_size=BATCH, shuffle=True)

# training
for epoch in range(EPOCHS):
    model.train()
    run = 0.0
    for x, y in loader:
        opt.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
        run += loss.item() * len(y)
    print(f"epoch {epoch + 1}: loss {run / len(data):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_te).unsqueeze(1)).numpy()
print(f"test accuracy {(logits.argmax(1) == y_te).mean():.4f}")
