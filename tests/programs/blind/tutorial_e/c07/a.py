"""Character-level text model with a GRU (PyTorch)."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def make_text(sentences=700):
    rng = np.random.default_rng(5)
    who = ["the cat", "a dog", "the bird", "my aunt", "a fox"]
    does = ["sees", "likes", "hears", "follows", "finds"]
    what = ["the moon", "a stone", "the river", "an apple", "the road"]
    parts = []
    for _ in range(sentences):
        k = rng.integers(5)
        verb = does[k] if rng.random() < 0.7 else does[rng.integers(5)]
        parts.append(f"{who[k]} {verb} {what[rng.integers(5)]}.")
    return " ".join(parts) + " "


TEXT = make_text()
CHARS = sorted(set(TEXT))
INDEX = {c: k for k, c in enumerate(CHARS)}
LENGTH, UNITS, BATCH, EPOCHS = 25, 48, 32, 10


def make_sequences():
    ids = np.array([INDEX[c] for c in TEXT])
    n = (len(ids) - 1) // LENGTH
    x = ids[:n * LENGTH].reshape(n, LENGTH)
    y = ids[1:n * LENGTH + 1].reshape(n, LENGTH)
    onehot = np.eye(len(CHARS), dtype="float32")[x]
    cut = n - 100
    return onehot[:cut], y[:cut], onehot[cut:], y[cut:]


class CharModel(nn.Module):
    def __init__(self, n_chars):
        super().__init__()
        self.gru = nn.GRU(n_chars, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, n_chars)
        # one Glorot matrix over the three gates, an orthogonal recurrent matrix, no bias at the start
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        h, _ = self.gru(x)
        return self.out(h)


def loss_of(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


def generate(model, start, n):
    text = start
    for _ in range(n):
        ids = [INDEX[c] for c in text[-LENGTH:]]
        x = torch.eye(len(CHARS))[ids][None]
        with torch.no_grad():
            text += CHARS[int(model(x)[0, -1].argmax())]
    return text


def main():
    torch.manual_seed(1)
    xtr, ytr, xte, yte = (torch.from_numpy(a) for a in make_sequences())
    model = CharModel(len(CHARS))
    opt = torch.optim.AdamW(model.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-12,
                            weight_decay=0.01)
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(len(xtr)).split(BATCH):
            opt.zero_grad()
            loss = loss_of(model, xtr[idx], ytr[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1}: {total / len(xtr):.4f}")
    model.eval()
    with torch.no_grad():
        print(f"held-out loss {loss_of(model, xte, yte).item():.4f}")
    print(generate(model, "the cat ", 60))


if __name__ == "__main__":
    main()
