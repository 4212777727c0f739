"""Bag of tokens with padding masked by hand, warm-up + cosine learning rate by hand (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(31)

VOCAB, MAXLEN, CLASSES = 61, 18, 4          # token 0 is padding


def corpus(n, rng, table):
    ids = np.zeros((n, MAXLEN), dtype="int64")
    label = rng.randint(0, CLASSES, size=n)
    for i in range(n):
        length = rng.randint(4, MAXLEN + 1)
        ids[i, :length] = 1 + rng.choice(VOCAB - 1, size=length, p=table[label[i]])
    return ids, label.astype("int64")


rng = np.random.RandomState(17)
table = rng.dirichlet(np.full(VOCAB - 1, 0.8), size=CLASSES)
train_ids, train_y = corpus(1200, rng, table)
test_ids, test_y = corpus(400, rng, table)

BATCH, EPOCHS = 40, 10
WARMUP, DECAY, LR_START, LR_PEAK, FLOOR = 40, 260, 0.02, 0.6, 0.1


class BagClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 16)
        self.fc1 = nn.Linear(16, 32)
        self.fc2 = nn.Linear(32, CLASSES)
        nn.init.uniform_(self.emb.weight, -0.5, 0.5)
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, ids):
        mask = (ids != 0).float().unsqueeze(-1)
        mean = (self.emb(ids) * mask).sum(1) / mask.sum(1)
        return self.fc2(torch.tanh(self.fc1(mean)))


def lr_at(step):
    if step < WARMUP:
        return LR_START + (LR_PEAK - LR_START) * step / WARMUP
    frac = min(step - WARMUP, DECAY) / DECAY
    return LR_PEAK * ((1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * frac)) + FLOOR)


model = BagClassifier()
criterion = nn.CrossEntropyLoss()
step_no = 0


def train_step(ids, y):
    global step_no
    loss = criterion(model(ids), y)
    model.zero_grad()
    loss.backward()
    lr = lr_at(step_no)
    with torch.no_grad():
        for p in model.parameters():
            p -= lr * p.grad
    step_no += 1
    return loss.item()


if __name__ == "__main__":
    ids, y = torch.from_numpy(train_ids), torch.from_numpy(train_y)
    for epoch in range(EPOCHS):
        perm = torch.randperm(len(y))
        s = 0.0
        for b in range(0, len(y), BATCH):
            take = perm[b:b + BATCH]
            s += train_step(ids[take], y[take]) * len(take)
        print(f"epoch {epoch + 1} loss {s / len(y):.4f}")
    with torch.no_grad():
        out = model(torch.from_numpy(test_ids))
        yt = torch.from_numpy(test_y)
        print(f"test loss {criterion(out, yt).item():.4f} acc {(out.argmax(1) == yt).float().mean().item():.4f}")
