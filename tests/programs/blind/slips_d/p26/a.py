"""Siamese network with a contrastive loss on pairs of digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

SEED = 100
MARGIN = 1.0
BATCH, EPOCHS = 64, 8


def make_pairs():
    rng = np.random.RandomState(42)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    x = (digits.data[order] / 16.0).astype("float32")
    y = digits.target[order]
    x_tr, y_tr, x_te, y_te = x[:1200], y[:1200], x[1200:], y[1200:]
    by_class = [np.flatnonzero(y_tr == c) for c in range(10)]
    left, right, same = [], [], []
    for i in range(1200):
        for match in (1, 0):
            c = y_tr[i] if match else (y_tr[i] + rng.randint(1, 10)) % 10
            left.append(i)
            right.append(rng.choice(by_class[c]))
            same.append(match)
    pairs = np.stack([x_tr[left], x_tr[right]], axis=1)
    return pairs, np.array(same, dtype="float32"), (x_tr, y_tr), (x_te, y_te)


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Linear(64, 64)
        self.hidden2 = nn.Linear(64, 32)
        self.out = nn.Linear(32, 8)
        for m in self.children():
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = torch.relu(self.hidden1(x))
        x = torch.relu(self.hidden2(x))
        return self.out(x)


def contrastive(model, pairs, same):
    u, v = model(pairs[:, 0]), model(pairs[:, 1])
    dist = torch.sqrt(((u - v) ** 2).sum(1) + 1e-6)
    return (same * dist ** 2 + (1 - same) * torch.clamp(MARGIN - dist, min=0.0) ** 2).mean()


def nearest_neighbour_accuracy(model, gallery, queries):
    with torch.no_grad():
        g, q = model(torch.from_numpy(gallery[0])), model(torch.from_numpy(queries[0]))
    nearest = torch.cdist(q, g).argmin(1).numpy()
    return (gallery[1][nearest] == queries[1]).mean()


def main():
    torch.manual_seed(SEED)
    pairs, same, train, test = make_pairs()
    dataset = torch.utils.data.TensorDataset(torch.from_numpy(pairs), torch.from_numpy(same))
    loader = torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True)
    model = Embedder()
    opt = torch.optim.Adagrad(model.parameters(), lr=0.03, lr_decay=0.0, weight_decay=0.0, eps=1e-12)
    print(f"1-NN accuracy before {nearest_neighbour_accuracy(model, train, test):.4f}")
    for epoch in range(EPOCHS):
        total = 0.0
        for p, s in loader:
            loss = contrastive(model, p, s)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(s)
        print(f"epoch {epoch + 1}: contrastive loss {total / len(dataset):.4f}")
    with torch.no_grad():
        print(f"loss on all pairs {contrastive(model, *dataset.tensors).item():.4f}")
    print(f"1-NN accuracy after {nearest_neighbour_accuracy(model, train, test):.4f}")


if __name__ == "__main__":
    main()
