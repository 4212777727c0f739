import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

VOCAB, MAXLEN, DIM = 40, 20, 8
BATCH = 32
EPOCHS = 15
LR = 0.5


def make_data():
    rng = np.random.default_rng(5)
    score = rng.normal(size=VOCAB)
    n = 1200
    lengths = np.minimum(2 + rng.geometric(0.25, size=n), MAXLEN)
    ids = np.zeros((n, MAXLEN), dtype="int32")
    y = np.zeros(n, dtype="float32")
    for i, l in enumerate(lengths):
        t = rng.integers(1, VOCAB, size=l)
        ids[i, :l] = t
        y[i] = score[t].sum() / np.sqrt(l) > 0
    return ids[:960], y[:960], ids[960:], y[960:]


class TextNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, DIM, padding_idx=0)
        self.fc1 = nn.Linear(DIM, 24)
        self.fc2 = nn.Linear(24, 1)
        with torch.no_grad():
            self.emb.weight.uniform_(-1.0, 1.0)
            self.emb.weight[0].zero_()
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, ids):
        bag = self.emb(ids).mean(dim=1)
        return self.fc2(torch.relu(self.fc1(bag)))[:, 0]


def main():
    torch.manual_seed(12)
    rng = np.random.default_rng(12)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    model = TextNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    for epoch in range(EPOCHS):
        order = torch.from_numpy(rng.permutation(len(xtr)))
        losses = []
        for idx in order.split(BATCH):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(model(xtr[idx]), ytr[idx])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print("epoch %d loss %.4f" % (epoch + 1, np.mean(losses)))
    with torch.no_grad():
        logit = model(xte)
        bce = F.binary_cross_entropy_with_logits(logit, yte).item()
        acc = ((logit > 0) == (yte > 0.5)).float().mean().item()
    print("test loss %.4f acc %.4f" % (bce, acc))


if __name__ == "__main__":
    main()
