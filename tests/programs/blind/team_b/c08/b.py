"""Two-tower retrieval, every other item of the batch is a negative: PyTorch."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def pairs(n=2880, words=60, item_words=80, topics=12):
    """A query and the item that was bought after it, both as normalised bags of words."""
    rng = np.random.default_rng(1234)
    topic_q = rng.dirichlet(np.full(words, 0.15), topics)
    topic_i = rng.dirichlet(np.full(item_words, 0.15), topics)
    mix = rng.dirichlet(np.full(topics, 0.3), n)
    q = np.stack([rng.multinomial(8, p) for p in mix @ topic_q]).astype("float32")
    d = np.stack([rng.multinomial(20, p) for p in mix @ topic_i]).astype("float32")
    return q / np.linalg.norm(q, axis=1, keepdims=True), d / np.linalg.norm(d, axis=1, keepdims=True)


class Tower(nn.Module):
    def __init__(self, n_words):
        super().__init__()
        self.hidden = nn.Linear(n_words, 48)
        self.out = nn.Linear(48, 16)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        v = self.out(F.relu(self.hidden(x)))
        return v / torch.sqrt(v.pow(2).sum(dim=1, keepdim=True) + 1e-12)


class TwoTower(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = Tower(60)
        self.item = Tower(80)

    def forward(self, q, d):
        return self.query(q) @ self.item(d).T


def info_nce(similarity, temperature=0.1):
    logits = similarity / temperature
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def main():
    torch.manual_seed(61)
    q, d = (torch.from_numpy(v) for v in pairs())
    n = 2560
    model = TwoTower()
    opt = torch.optim.Adagrad(
        model.parameters(), lr=0.05, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.1, eps=1e-10
    )
    for epoch in range(10):
        order, total = torch.randperm(n), 0.0
        for i in range(0, n, 64):
            rows = order[i:i + 64]
            opt.zero_grad()
            loss = info_nce(model(q[rows], d[rows]))
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: {total / (n // 64):.4f}")
    model.eval()
    with torch.no_grad():
        s = model(q[n:], d[n:])
        rank = (s >= s.diagonal()[:, None]).sum(1)
        print(f"held-out loss {info_nce(s).item():.4f} recall@10 {(rank <= 10).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
