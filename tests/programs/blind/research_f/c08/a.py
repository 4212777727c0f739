"""LSTM cell stepped by hand with a mixture-density head, next-value forecasting (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(55)
torch.set_num_threads(1)

H, MIX, LEN = 20, 3, 18
BATCH, EPOCHS, LR, CLIP = 40, 20, 0.08, 0.1


def series(n, seed):
    """Waves that jump up or down by a fixed amount at random times."""
    rng = np.random.default_rng(seed)
    t = np.arange(LEN + 1)
    wave = np.sin(rng.uniform(0.4, 0.9, (n, 1)) * t + rng.uniform(0, 2 * np.pi, (n, 1)))
    jump = 0.8 * rng.choice([-1, 1], (n, LEN + 1)) * (rng.uniform(size=(n, LEN + 1)) < 0.3)
    return (wave + jump + 0.05 * rng.normal(size=(n, LEN + 1))).astype("float32")


train, test = series(600, 10), series(200, 11)


class MDNLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.wx = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, 4 * H)))
        self.wh = nn.Parameter(nn.init.orthogonal_(torch.empty(H, 4 * H)))
        bias = torch.zeros(4 * H)
        bias[H:2 * H] = 1.0                       # forget gate
        self.b = nn.Parameter(bias)
        self.head = nn.Linear(H, 3 * MIX)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):                         # (batch, time)
        h = c = x.new_zeros(len(x), H)
        outputs = []
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t:t + 1] @ self.wx + h @ self.wh + self.b).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(self.head(h))
        return torch.stack(outputs, 1).chunk(3, dim=-1)


def nll(model, seq):
    logit, mean, log_sd = model(seq[:, :-1])
    z = (seq[:, 1:, None] - mean) * torch.exp(-log_sd)
    comp = -0.5 * z ** 2 - log_sd - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(torch.log_softmax(logit, -1) + comp, -1).mean()


def clip_global(params, limit):
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in params))
    for p in params:
        p.grad.mul_(limit / torch.clamp(norm, min=limit))


model = MDNLSTM()
params = list(model.parameters())
opt = torch.optim.Adagrad(params, lr=LR, lr_decay=0.0, initial_accumulator_value=0.1, eps=1e-10)

# ---- training
data, held_out = torch.from_numpy(train), torch.from_numpy(test)
for epoch in range(EPOCHS):
    for idx in torch.randperm(len(data)).split(BATCH):
        loss = nll(model, data[idx])
        opt.zero_grad()
        loss.backward()
        clip_global(params, CLIP)
        opt.step()
    if epoch % 4 == 3:
        with torch.no_grad():
            print(f"epoch {epoch + 1} last batch {loss.item():.4f} test nll {nll(model, held_out).item():.4f}")
