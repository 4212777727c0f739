"""Two-tower retrieval with in-batch negatives; bags of words through nn.EmbeddingBag."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader

VOCAB = 500
TEMPERATURE = 0.1


def make_data():
    """Queries and documents as bags of word ids; a pair shares a mixture of topics but few words."""
    rng = np.random.default_rng(83)
    n, topics = 3300, 24
    word_p = rng.dirichlet(np.full(VOCAB, 0.04), topics)

    def draw(weights, length):
        p = weights @ word_p
        return rng.choice(VOCAB, size=length, p=p / p.sum())

    pairs = []
    for _ in range(n):
        main, side = rng.choice(topics, 2, replace=False)
        weights = np.full(topics, 0.004)
        weights[main] += 0.65
        weights[side] += 0.35
        pairs.append((draw(weights, rng.integers(5, 11)), draw(weights, rng.integers(15, 31))))
    return pairs[:3000], pairs[3000:]


def pack(bags):
    lengths = torch.tensor([len(b) for b in bags])
    offsets = torch.cumsum(lengths, 0) - lengths
    return torch.from_numpy(np.concatenate(bags)), offsets


def collate(pairs):
    queries, docs = zip(*pairs)
    return pack(queries), pack(docs)


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.EmbeddingBag(VOCAB, 32, mode="mean")
        self.fc = nn.Linear(32, 32)
        self.out = nn.Linear(32, 16)
        nn.init.normal_(self.words.weight, std=1.0)
        for lin in (self.fc, self.out):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, ids, offsets):
        h = torch.tanh(self.fc(self.words(ids, offsets)))
        return F.normalize(self.out(h), dim=1)


class Retriever(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = Tower()
        self.doc = Tower()

    def forward(self, queries, docs):
        return self.query(*queries) @ self.doc(*docs).T


def contrastive(sim):
    labels = torch.arange(len(sim))
    logits = sim / TEMPERATURE
    return 0.5 * (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels))


def main():
    torch.manual_seed(2024)
    train, test = make_data()
    loader = DataLoader(train, batch_size=64, shuffle=True, collate_fn=collate)
    model = Retriever()
    opt = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9, weight_decay=1e-5)
    for epoch in range(8):
        model.train()
        total = 0.0
        for queries, docs in loader:
            loss = contrastive(model(queries, docs))
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(queries[1])
        model.eval()
        with torch.no_grad():
            sim = model(*collate(test))
        own = sim.diagonal()[:, None]
        rank = (sim > own).sum(dim=1)
        print(f"epoch {epoch + 1}  loss {total / len(train):.4f}  recall@10 {(rank < 10).float().mean():.3f}"
              f"  mrr {(1 / (rank + 1.0)).mean():.3f}")


if __name__ == "__main__":
    main()
