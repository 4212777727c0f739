"""Listwise learning to rank (ListNet, top one) with padded lists. PyTorch."""
import numpy as np
import torch
import torch.nn as nn

DOCS, FEATS = 12, 18
QUERIES, BATCH, EPOCHS = 720, 24, 10
LR, ACC0 = 0.05, 0.1


def make_queries(n, seed):
    """Queries with 5 to 12 documents each, graded 0..3; rows past the list's end are padding."""
    r = np.random.default_rng(seed)
    w = np.random.default_rng(1).normal(size=(2, FEATS))
    x = r.normal(size=(n, DOCS, FEATS)) + 0.5 * r.normal(size=(n, 1, FEATS))
    length = r.integers(5, DOCS + 1, n)
    mask = np.arange(DOCS)[None] < length[:, None]
    s = np.tanh(x @ w[0] * 0.4) + 0.5 * np.sin(x @ w[1] * 0.4) + 0.2 * r.normal(size=(n, DOCS))
    grade = np.digitize(s, [-0.3, 0.4, 0.9]).astype("float64")
    x[~mask] = 0.0
    grade[~mask] = 0.0
    return x.astype("float32"), grade.astype("float32"), mask.astype("float32")


def ndcg(score, grade, mask, k=5):
    total = 0.0
    for s, g, m in zip(score, grade, mask > 0):
        s, g = s[m], g[m]
        d = 1.0 / np.log2(np.arange(len(g)) + 2)
        gain = (2.0 ** g[np.argsort(-s, kind="stable")] - 1)[:k] @ d[:k]
        best = (2.0 ** np.sort(g)[::-1] - 1)[:k] @ d[:k]
        total += gain / best if best > 0 else 1.0
    return total / len(score)


x_tr, g_tr, m_tr = make_queries(QUERIES, 100)
x_te, g_te, m_te = make_queries(240, 101)

torch.manual_seed(2024)
scorer = nn.Sequential(
    nn.Linear(FEATS, 32), nn.Softplus(),
    nn.Linear(32, 16), nn.Softplus(),
    nn.Linear(16, 1, bias=False),
)
for layer in scorer:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)

opt = torch.optim.Adagrad(scorer.parameters(), lr=LR, lr_decay=0, weight_decay=0,
                          initial_accumulator_value=ACC0, eps=1e-10)


def listnet(score, grade, mask):
    off = (mask < 0.5)
    target = torch.softmax(grade.masked_fill(off, -1e9), dim=1)
    logp = torch.log_softmax(score.masked_fill(off, -1e9), dim=1)
    return -(target * logp * mask).sum(dim=1).mean()


X, G, M = map(torch.from_numpy, (x_tr, g_tr, m_tr))
for epoch in range(EPOCHS):
    order = torch.randperm(QUERIES)
    running = 0.0
    for b in order.split(BATCH):
        loss = listnet(scorer(X[b]).squeeze(2), G[b], M[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(b)
    print(f"epoch {epoch + 1:2d}  listnet {running / QUERIES:.4f}")

with torch.no_grad():
    s = scorer(torch.from_numpy(x_te)).squeeze(2)
    print(f"test listnet {listnet(s, torch.from_numpy(g_te), torch.from_numpy(m_te)).item():.4f}"
          f"  ndcg@5 {ndcg(s.numpy(), g_te, m_te):.4f}")
