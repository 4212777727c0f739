"""Learning to rank: listwise softmax over the documents of a query (PyTorch, AdamW)."""
import numpy as np
import torch
from torch import nn

Q_TRAIN, Q_TEST, DOCS, FEATS = 620, 150, 20, 12
BATCH, EPOCHS, LR, DECAY = 30, 9, 3e-3, 0.02


def make_data():
    rng = np.random.RandomState(99)
    q = Q_TRAIN + Q_TEST
    x = rng.randn(q, DOCS, FEATS)
    w1, w2 = rng.randn(FEATS), rng.randn(FEATS, 5)
    s = 0.6 * x @ w1 + np.abs(x @ w2).sum(-1) * 0.4 + 0.5 * rng.randn(q, DOCS)
    length = rng.randint(8, DOCS + 1, q)
    mask = np.arange(DOCS)[None, :] < length[:, None]
    rel = np.zeros((q, DOCS))
    for i in range(q):
        order = np.argsort(np.argsort(-s[i, :length[i]]))
        rel[i, :length[i]] = np.where(order < 2, 3, np.where(order < 4, 2, np.where(order < 7, 1, 0)))
    x = (x * mask[..., None]).astype("float32")
    rel, mask = rel.astype("float32"), mask.astype("float32")
    return (x[:Q_TRAIN], rel[:Q_TRAIN], mask[:Q_TRAIN]), (x[Q_TRAIN:], rel[Q_TRAIN:], mask[Q_TRAIN:])


def ndcg(scores, rel, mask, k=10):
    total = []
    for s, r, m in zip(scores, rel, mask):
        n = int(m.sum())
        gain = 2 ** r[:n] - 1
        disc = 1 / np.log2(np.arange(2, n + 2))
        disc[k:] = 0
        total.append((gain[np.argsort(-s[:n])] * disc).sum() / (np.sort(gain)[::-1] * disc).sum())
    return float(np.mean(total))


class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(FEATS, 32)
        self.norm = nn.LayerNorm(32, eps=1e-5)
        self.fc2 = nn.Linear(32, 16)
        self.out = nn.Linear(16, 1, bias=False)  # a bias would cancel in the softmax
        for m in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = torch.relu(self.norm(self.fc1(x)))
        return self.out(torch.relu(self.fc2(h))).squeeze(-1)


def listwise_loss(scores, rel, mask):
    neg = (1.0 - mask) * -1e9
    target = torch.softmax(rel + neg, dim=-1)
    logp = torch.log_softmax(scores + neg, dim=-1)
    return -(target * logp * mask).sum(dim=-1).mean()


def make_optimizer(model):
    kernels = [p for n, p in model.named_parameters() if n.endswith("weight") and "norm" not in n]
    rest = [p for n, p in model.named_parameters() if n.endswith("bias") or "norm" in n]
    return torch.optim.AdamW([{"params": kernels, "weight_decay": DECAY},
                              {"params": rest, "weight_decay": 0.0}],
                             lr=LR, betas=(0.9, 0.98), eps=1e-12)


def train_step(model, opt, x, rel, mask):
    opt.zero_grad()
    loss = listwise_loss(model(x), rel, mask)
    loss.backward()
    opt.step()
    return loss.item()


def main():
    torch.manual_seed(0)
    (x, rel, mask), (x_te, rel_te, mask_te) = make_data()
    tx, tr, tm = map(torch.from_numpy, (x, rel, mask))
    model = Scorer()
    opt = make_optimizer(model)
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(Q_TRAIN).split(BATCH):
            total += train_step(model, opt, tx[idx], tr[idx], tm[idx]) * len(idx)
        print(f"epoch {epoch + 1} loss {total / Q_TRAIN:.4f}")
    with torch.no_grad():
        scores = model(torch.from_numpy(x_te)).numpy()
    print(f"test ndcg@10 {ndcg(scores, rel_te, mask_te):.4f}")


if __name__ == "__main__":
    main()
