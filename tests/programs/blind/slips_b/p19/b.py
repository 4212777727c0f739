import numpy as np
import torch
from torch import nn

VOCAB, MAXLEN = 120, 18


def reviews(n, rng):
    tokens = np.zeros((n, MAXLEN), dtype="int64")
    labels = np.zeros((n, 1), dtype="float32")
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        mood = rng.integers(0, 2)
        lo, hi = (1, 40) if mood else (40, 79)
        pick = np.where(rng.random(length) < 0.35, rng.integers(lo, hi, size=length), rng.integers(1, VOCAB, size=length))
        tokens[i, :length] = pick
        labels[i] = mood
    return tokens, labels


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 16)
        self.hidden = nn.Linear(16, 24)
        self.out = nn.Linear(24, 1)
        for m in (self.hidden, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, ids):
        mask = (ids > 0).float().unsqueeze(-1)
        mean = (self.emb(ids) * mask).sum(1) / mask.sum(1)
        return self.out(torch.tanh(self.hidden(mean)))


def build():
    return Bag()


def main():
    torch.manual_seed(30)
    rng = np.random.default_rng(55)
    x, y = map(torch.from_numpy, reviews(800, rng))
    xt, yt = map(torch.from_numpy, reviews(400, rng))
    model = build()
    bce = nn.BCEWithLogitsLoss()
    opt = torch.optim.SGD(model.parameters(), lr=2.0)
    for epoch in range(20):
        model.train()
        for idx in torch.randperm(800).split(32):
            opt.zero_grad()
            loss = bce(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        for name, xs, ys in (("train", x, y), ("test", xt, yt)):
            logits = model(xs)
            acc = ((logits > 0) == (ys > 0.5)).float().mean().item()
            print("%s bce %.4f acc %.4f" % (name, bce(logits, ys).item(), acc))


if __name__ == "__main__":
    main()
