"""Learning to rank with pairwise logistic loss (RankNet): PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F


N_FEAT, DOCS = 14, 8


def make_queries(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(77)
    w = truth.randn(N_FEAT) * 0.6
    x = rng.randn(n, DOCS, N_FEAT)
    u = x @ w + 0.8 * np.abs(x[:, :, 0]) - 0.7 * x[:, :, 1] * x[:, :, 2] + 0.4 * rng.randn(n, DOCS)
    rel = np.digitize(u, [-0.5, 1.0, 2.5]).astype("float32")        # grades 0..3
    return x.astype("float32"), rel


def ndcg_at(scores, rel, k=4):
    disc = 1 / np.log2(np.arange(2, k + 2))
    vals = []
    for s, r in zip(scores, rel):
        gain = 2.0 ** r - 1
        best = (np.sort(gain)[::-1][:k] * disc).sum()
        if best > 0:
            vals.append((gain[np.argsort(-s)][:k] * disc).sum() / best)
    return float(np.mean(vals))


x_tr, r_tr = make_queries(720, 20)
x_te, r_te = make_queries(300, 21)
BATCH, EPOCHS, LR = 32, 12, 0.003

torch.manual_seed(0)


class Scorer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = torch.nn.Linear(N_FEAT, 32)
        self.l2 = torch.nn.Linear(32, 16)
        self.score = torch.nn.Linear(16, 1, bias=False)
        for l in (self.l1, self.l2, self.score):
            torch.nn.init.xavier_uniform_(l.weight)
        torch.nn.init.zeros_(self.l1.bias)
        torch.nn.init.zeros_(self.l2.bias)

    def forward(self, x):
        h = F.silu(self.l1(x))
        h = F.silu(self.l2(h))
        return self.score(h).squeeze(-1)


def ranknet(scores, rel):
    diff = scores.unsqueeze(2) - scores.unsqueeze(1)
    better = rel.unsqueeze(2) > rel.unsqueeze(1)
    return F.softplus(-diff[better]).mean()


model = Scorer()
opt = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.99), eps=1e-12)
x, r = torch.from_numpy(x_tr), torch.from_numpy(r_tr)

# training
for epoch in range(EPOCHS):
    perm = torch.randperm(len(x))
    losses = []
    for idx in perm.split(BATCH):
        loss = ranknet(model(x[idx]), r[idx])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        losses.append(loss.item() * len(idx))
    print(f"epoch {epoch + 1}: loss {sum(losses) / len(x):.4f}")

with torch.no_grad():
    s_te = model(torch.from_numpy(x_te))
    print(f"test loss {ranknet(s_te, torch.from_numpy(r_te)).item():.4f}"
          f"  ndcg@4 {ndcg_at(s_te.numpy(), r_te):.4f}")
