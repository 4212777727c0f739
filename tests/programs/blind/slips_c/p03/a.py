import numpy as np
import torch
from torch import nn


def make_data(n=960, steps=20):
    rng = np.random.default_rng(3)
    label = rng.integers(0, 3, n)
    freq = np.array([0.8, 1.2, 1.7])[label]
    phase = rng.uniform(0, 2 * np.pi, n)
    t = np.linspace(0, 2 * np.pi, steps)
    s = np.sin(freq[:, None] * t + phase[:, None])
    c = np.cos(freq[:, None] * t + phase[:, None])
    x = np.stack([s, c], -1) + 0.3 * rng.standard_normal((n, steps, 2))
    return x.astype("float32"), label.astype("int64")


class Classifier(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(2, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 3)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


torch.manual_seed(1)
x, y = make_data()
x, y = torch.from_numpy(x), torch.from_numpy(y)
xt, yt, xv, yv = x[:800], y[:800], x[800:], y[800:]

model = Classifier()
params = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.Adam(params, lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
ce = nn.CrossEntropyLoss()

for epoch in range(12):
    perm = torch.randperm(len(xt))
    for i in range(0, len(xt), 40):
        batch = perm[i:i + 40]
        opt.zero_grad()
        ce(model(xt[batch]), yt[batch]).backward()
        norm = torch.sqrt(sum(p.grad.pow(2).sum() for p in params))
        scale = 1.0 / torch.clamp(norm, min=1.0)
        for p in params:
            p.grad.mul_(scale)
        opt.step()

with torch.no_grad():
    logits = model(xv)
    print("val loss", round(ce(logits, yv).item(), 4),
          "val acc", round((logits.argmax(1) == yv).float().mean().item(), 4))
