# RankNet on lists of documents of different lengths (padded, masked).  PyTorch.
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

QUERIES, TEST_QUERIES, DOCS, FEATURES = 600, 200, 12, 20
BATCH, EPOCHS = 20, 8


def make_data():
    rng = np.random.RandomState(404)
    n = QUERIES + TEST_QUERIES
    x = rng.randn(n, DOCS, FEATURES)
    x[:, :, :5] += 0.8 * rng.randn(n, 1, 5)          # query features shared by its documents
    w = rng.randn(FEATURES)
    u = np.tanh(x @ w * 0.3) * 2 + 0.8 * x[..., 6] * x[..., 7] + 0.4 * rng.randn(n, DOCS)
    grade = np.digitize(u, [0.0, 1.0, 2.0])           # relevance 0..3
    size = rng.randint(5, DOCS + 1, size=n)
    mask = np.arange(DOCS)[None, :] < size[:, None]
    x = x * mask[..., None]
    grade = grade * mask
    parts = [x.astype("float32"), grade.astype("float32"), mask.astype("float32")]
    return [p[:QUERIES] for p in parts], [p[QUERIES:] for p in parts]


def ndcg(scores, grade, mask, k=5):
    out = []
    for s, g, m in zip(scores, grade, mask):
        keep = m > 0
        s, g = s[keep], 2.0 ** g[keep] - 1
        if g.sum() == 0:
            continue
        d = 1 / np.log2(np.arange(2, 2 + min(k, len(s))))
        got = (g[np.argsort(-s)][:k] * d).sum()
        out.append(got / (np.sort(g)[::-1][:k] * d).sum())
    return float(np.mean(out))


class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(FEATURES, 48)
        self.norm = nn.LayerNorm(48, eps=1e-6)
        self.act = nn.GELU(approximate="none")
        self.fc2 = nn.Linear(48, 24)
        self.score = nn.Linear(24, 1, bias=False)
        for m in (self.fc1, self.fc2, self.score):
            fan_in = m.weight.shape[1]
            nn.init.uniform_(m.weight, -fan_in ** -0.5, fan_in ** -0.5)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = self.act(self.norm(self.fc1(x)))
        return self.score(torch.tanh(self.fc2(h))).squeeze(-1)


def ranknet_loss(s, grade, mask):
    ds = s.unsqueeze(2) - s.unsqueeze(1)                      # s_i - s_j
    dg = grade.unsqueeze(2) - grade.unsqueeze(1)
    pair = (dg > 0).float() * mask.unsqueeze(2) * mask.unsqueeze(1)
    w = pair * dg                                             # harder grades count more
    return (w * F.softplus(-ds)).sum() / w.sum()


def make_optimizer(model):
    return torch.optim.Adagrad(model.parameters(), lr=0.03, lr_decay=0.0, weight_decay=0.0,
                               initial_accumulator_value=0.1, eps=1e-10)


def main():
    torch.manual_seed(1)
    train, test = make_data()
    x, g, m = (torch.from_numpy(a) for a in train)
    tx, tg, tm = (torch.from_numpy(a) for a in test)
    model = Scorer()
    opt = make_optimizer(model)
    print("parameters:", sum(p.numel() for p in model.parameters()))
    for epoch in range(1, EPOCHS + 1):
        losses = []
        for idx in torch.randperm(QUERIES).split(BATCH):
            loss = ranknet_loss(model(x[idx]), g[idx], m[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        with torch.no_grad():
            s = model(tx)
            tl = ranknet_loss(s, tg, tm).item()
        print(f"{epoch}: loss {np.mean(losses):.4f} test {tl:.4f} "
              f"ndcg@5 {ndcg(s.numpy(), test[1], test[2]):.4f}")


if __name__ == "__main__":
    main()
