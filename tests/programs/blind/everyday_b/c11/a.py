import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(70)

N_CLASSES, STEPS = 3, 28


def make_waves(n, seed):
    """Sine, square and sawtooth with random phase and period, plus noise."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, N_CLASSES, n)
    period = rng.uniform(10, 18, n)[:, None]
    phase = rng.uniform(0, 1, n)[:, None]
    turn = np.arange(STEPS)[None, :] / period + phase
    sine = np.sin(2 * np.pi * turn)
    square = np.sign(sine)
    saw = 2 * (turn % 1.0) - 1
    clean = np.choose(kind[:, None], [sine, square, saw])
    wave = clean + rng.normal(0, 0.15, clean.shape)
    return wave.astype("float32")[:, :, None], kind


x_train, y_train = make_waves(1200, seed=14)
x_test, y_test = make_waves(500, seed=15)


class WaveGRU(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, N_CLASSES)

        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        _, h = self.gru(x)
        return self.fc(h[-1])


model = WaveGRU()
optimizer = torch.optim.Adamax(model.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

X, Y = torch.from_numpy(x_train), torch.from_numpy(y_train)
batch_size = 64

# ---- training
for epoch in range(15):
    model.train()
    order = torch.randperm(len(X))
    total = 0.0
    for idx in order.split(batch_size):
        optimizer.zero_grad()
        loss = criterion(model(X[idx]), Y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(X):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    target = torch.from_numpy(y_test)
    print(f"test loss {criterion(logits, target).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == target).float().mean().item():.4f}")
