# Tag every token of a sequence: is it inside or outside a bracketed span?
import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(6)

VOCAB, MAXLEN, EMB, UNITS = 12, 14, 16, 32


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    tokens = np.zeros((n, MAXLEN), dtype="int64")
    tags = np.full((n, MAXLEN), -100, dtype="int64")
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        depth = 0
        for j in range(length):
            tok = rng.integers(3, VOCAB)
            if rng.random() < 0.3:
                tok = 2 if depth else 1
            depth = {1: 1, 2: 0}.get(int(tok), depth)
            tokens[i, j] = tok
            tags[i, j] = 2 if tok < 3 else depth
    return torch.from_numpy(tokens), torch.from_numpy(tags)


x_train, y_train = make_data(1000, 0)
x_test, y_test = make_data(300, 1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, EMB)
        self.gru = nn.GRU(EMB, UNITS)
        self.head = nn.Linear(UNITS, 3)
        nn.init.uniform_(self.emb.weight, -0.05, 0.05)
        nn.init.xavier_uniform_(self.head.weight)
        # bounds of the input kernel follow its full (3 * UNITS, EMB) shape
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        for bias in (self.gru.bias_ih_l0, self.gru.bias_hh_l0, self.head.bias):
            nn.init.zeros_(bias)

    def forward(self, x):
        h, _ = self.gru(self.emb(x))
        return self.head(h)


net = Tagger()
loss_fn = nn.CrossEntropyLoss(ignore_index=-100)
opt = torch.optim.SGD(net.parameters(), lr=0.5)

for epoch in range(16):
    order = torch.randperm(len(x_train))
    seen = []
    for rows in order.split(40):
        opt.zero_grad()
        logits = net(x_train[rows])
        loss = loss_fn(logits.reshape(-1, 3), y_train[rows].reshape(-1))
        loss.backward()
        opt.step()
        seen.append(loss.item())
    print("epoch", epoch, "loss", round(float(np.mean(seen)), 4))

with torch.no_grad():
    logits = net(x_test)
    real = y_test >= 0
    print("test loss", loss_fn(logits.reshape(-1, 3), y_test.reshape(-1)).item())
    print("test accuracy", (logits.argmax(-1) == y_test)[real].float().mean().item())
