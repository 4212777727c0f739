"""ListNet ranker on padded result lists, PyTorch."""
import numpy as np
import torch
from torch import nn


def make_queries(n=1260, docs=12, d=16):
    rng = np.random.default_rng(909)
    length = rng.integers(6, docs + 1, n)
    mask = (np.arange(docs)[None, :] < length[:, None]).astype("float32")
    x = rng.normal(size=(n, docs, d)) + 0.5 * rng.normal(size=(n, 1, d))
    w = rng.normal(size=d) / np.sqrt(d)
    s = x @ w + 0.6 * np.tanh(x[..., 0] * x[..., 1]) + 0.3 * rng.normal(size=(n, docs))
    grade = np.digitize(s, [-0.7, 0.1, 0.9, 1.6])
    return (x * mask[..., None]).astype("float32"), (grade * mask).astype("float32"), mask


def ndcg(scores, grades, mask, k=5):
    values = []
    for s, g, m in zip(scores, grades, mask):
        s, g = s[m > 0], g[m > 0]
        disc = 1 / np.log2(np.arange(2, 2 + min(k, len(g))))
        ideal = ((2 ** np.sort(g)[::-1][:k] - 1) * disc).sum()
        if ideal > 0:
            values.append(((2 ** g[np.argsort(-s)][:k] - 1) * disc).sum() / ideal)
    return float(np.mean(values))


class Scorer(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.fc1 = nn.Linear(d, 40)
        self.norm = nn.LayerNorm(40, eps=1e-5)
        self.fc2 = nn.Linear(40, 20)
        self.score = nn.Linear(20, 1, bias=False)  # a constant would cancel in the softmax
        for m in (self.fc1, self.fc2, self.score):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = torch.tanh(self.norm(self.fc1(x)))
        return self.score(torch.tanh(self.fc2(h))).squeeze(-1)


def listnet(scores, grades, mask):
    minus = (1.0 - mask) * -1e9
    target = torch.softmax(grades + minus, dim=1)
    logp = torch.log_softmax(scores + minus, dim=1)
    return -(target * logp * mask).sum(dim=1).mean()


# --- training
torch.manual_seed(0)
x, g, m = make_queries()
n = 960
tx, tg, tm = (torch.from_numpy(v[:n]) for v in (x, g, m))
model = Scorer()
opt = torch.optim.Adamax(model.parameters(), betas=(0.9, 0.999), eps=1e-12, weight_decay=0)
for epoch in range(10):
    losses = []
    for idx in torch.randperm(n).split(32):
        loss = listnet(model(tx[idx]), tg[idx], tm[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print("epoch %d listnet %.4f" % (epoch + 1, np.mean(losses)))
model.eval()
with torch.no_grad():
    s = model(torch.from_numpy(x[n:]))
    held = listnet(s, torch.from_numpy(g[n:]), torch.from_numpy(m[n:])).item()
print("held-out listnet %.4f ndcg@5 %.4f" % (held, ndcg(s.numpy(), g[n:], m[n:])))
