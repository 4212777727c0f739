"""Simplified graph convolution with a hidden layer in PyTorch: dense adjacency, full-batch training."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

N_NODES, N_CLASSES, N_FEATURES, N_LABELLED = 400, 4, 40, 100
EPOCHS = 200
ALPHA = 0.5


def make_graph():
    rng = np.random.RandomState(19)
    labels = rng.randint(0, N_CLASSES, N_NODES)
    same = labels[:, None] == labels[None]
    upper = np.triu(rng.rand(N_NODES, N_NODES) < np.where(same, 0.035, 0.007), 1)
    adj = (upper | upper.T).astype(np.float64)
    centers = rng.normal(0, 0.45, (N_CLASSES, N_FEATURES))
    feats = centers[labels] + rng.normal(0, 1.0, (N_NODES, N_FEATURES))
    train = np.zeros(N_NODES, dtype=bool)
    train[rng.permutation(N_NODES)[:N_LABELLED]] = True
    loops = adj + np.eye(N_NODES)
    d = 1.0 / np.sqrt(loops.sum(1))
    return (loops * d[:, None] * d[None]).astype(np.float32), feats.astype(np.float32), labels, train


class SimpleGraphConv(nn.Module):
    def __init__(self, hops=2, hidden=16):
        super().__init__()
        self.hops = hops
        self.lin1 = nn.Linear(N_FEATURES, hidden)
        self.lin2 = nn.Linear(hidden, N_CLASSES)
        for lin in (self.lin1, self.lin2):
            r = (6.0 / (lin.in_features + lin.out_features)) ** 0.5
            nn.init.uniform_(lin.weight, -r, r)
            nn.init.uniform_(lin.bias, -r, r)

    def forward(self, s, x):
        for _ in range(self.hops):
            x = s @ x
        return self.lin2(F.relu(self.lin1(x)))


def main():
    torch.manual_seed(6)
    s, x, y, train = (torch.from_numpy(v) for v in make_graph())
    model = SimpleGraphConv()
    kernels = [model.lin1.weight, model.lin2.weight]
    biases = [model.lin1.bias, model.lin2.bias]
    opt = torch.optim.Adam([{"params": kernels, "weight_decay": ALPHA},
                            {"params": biases, "weight_decay": 0.0}], lr=0.01, betas=(0.9, 0.999), eps=1e-12)
    for epoch in range(EPOCHS):
        logits = model(s, x)
        loss = F.cross_entropy(logits[train], y[train])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if (epoch + 1) % 50 == 0:
            print(f"epoch {epoch + 1}: cross-entropy {loss.item():.4f}")
    with torch.no_grad():
        logits = model(s, x)
        for name, part in (("train", train), ("rest", ~train)):
            ce = F.cross_entropy(logits[part], y[part]).item()
            acc = (logits[part].argmax(1) == y[part]).float().mean().item()
            print(f"{name}: cross-entropy {ce:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
