"""Tagging of variable-length sequences, padded to a common length (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

T, VOCAB, TAGS, PAD = 20, 12, 5, -1
BATCH, EPOCHS = 32, 12


def corpus(n=960, seed=99):
    rng = np.random.default_rng(seed)
    rule = rng.integers(0, TAGS, size=(VOCAB, VOCAB))
    x = np.zeros((n, T, VOCAB), dtype=np.float32)
    y = np.full((n, T), PAD, dtype=np.int64)
    for i in range(n):
        length = min(T, 3 + rng.poisson(4))
        tokens = rng.integers(0, VOCAB, size=length)
        x[i, np.arange(length), tokens] = 1.0
        left = np.concatenate([[0], tokens[:-1]])
        y[i, :length] = rule[left, tokens]
    return x, y


x, y = corpus()
x_tr, y_tr, x_te, y_te = x[:800], y[:800], x[800:], y[800:]

torch.manual_seed(1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(VOCAB, 64, 3, padding=1)
        self.hidden = nn.Linear(64, 32)
        self.out = nn.Linear(32, TAGS)
        for layer in (self.conv, self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, seq):
        h = torch.relu(self.conv(seq.transpose(1, 2))).transpose(1, 2)
        return self.out(torch.relu(self.hidden(h)))


model = Tagger()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss(ignore_index=PAD)

data = DataLoader(TensorDataset(torch.from_numpy(x_tr), torch.from_numpy(y_tr)), batch_size=BATCH, shuffle=True)
for epoch in range(EPOCHS):
    model.train()
    losses = []
    for xb, yb in data:
        logits = model(xb)
        loss = criterion(logits.reshape(-1, TAGS), yb.reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1:2d} loss {np.mean(losses):.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(x_te)).argmax(-1).numpy()
real = y_te != PAD
print(f"token accuracy {np.mean(pred[real] == y_te[real]):.4f}")
