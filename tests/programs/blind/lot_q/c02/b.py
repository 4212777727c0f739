# GRU that estimates the decay rate of a noisy damped oscillation. PyTorch.
import numpy as np
import torch
from torch import nn

STEPS, N_TRAIN, N_TEST = 24, 960, 320
HIDDEN, BATCH, EPOCHS = 20, 48, 12


def make_data():
    rng = np.random.default_rng(77)
    n = N_TRAIN + N_TEST
    rate = rng.uniform(0.02, 0.25, size=(n, 1))
    freq = rng.uniform(0.4, 1.2, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    t = np.arange(STEPS)[None, :]
    wave = np.exp(-rate * t) * np.cos(freq * t + phase)
    wave = wave + 0.05 * rng.normal(size=wave.shape)
    target = (rate - 0.135) / 0.0664
    return wave[..., None].astype(np.float32), target.astype(np.float32)


x, y = map(torch.from_numpy, make_data())
x_train, y_train, x_test, y_test = x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


class Estimator(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, seq):
        _, last = self.gru(seq)
        return self.head(last[0])


torch.manual_seed(1)
model = Estimator()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-10)

for epoch in range(EPOCHS):
    model.train()
    losses = []
    for idx in torch.randperm(N_TRAIN).split(BATCH):
        optimizer.zero_grad()
        loss = ((model(x_train[idx]) - y_train[idx]) ** 2).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    print("epoch", epoch, "train mse %.4f" % np.mean(losses))

model.eval()
with torch.no_grad():
    print("test mse %.4f" % ((model(x_test) - y_test) ** 2).mean().item())
