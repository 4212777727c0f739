import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(3)


def make_data(n=960, vocab=180, k=5):
    rng = np.random.default_rng(7)
    topics = rng.dirichlet(np.full(vocab, 0.15), size=k)
    y = rng.integers(0, k, size=n)
    X = np.zeros((n, vocab), dtype="float32")
    for i in range(n):
        p = 0.55 * topics[y[i]] + 0.45 / vocab
        X[i] = rng.multinomial(30, p)
    return np.log1p(X).astype("float32"), y.astype("int64")


class TopicNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(180, 24)
        self.out = nn.Linear(24, 5)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.out(F.relu(self.hidden(x)))


x, y = make_data()
x, y = torch.from_numpy(x), torch.from_numpy(y)
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]
model = TopicNet()
opt = torch.optim.Adagrad(model.parameters(), lr=0.02, eps=1e-10)

for epoch in range(12):
    order = torch.randperm(len(x_train))
    running = 0.0
    for idx in order.split(40):
        opt.zero_grad()
        loss = F.cross_entropy(model(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    with torch.no_grad():
        out = model(x_test)
        print(epoch + 1, running / len(x_train), F.cross_entropy(out, y_test).item(),
              (out.argmax(1) == y_test).float().mean().item())
