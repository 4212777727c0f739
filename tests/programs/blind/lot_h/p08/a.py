import numpy as np
import torch
import torch.nn as nn

T, H = 22, 24
N, BATCH, EPOCHS = 800, 40, 12
LR = 0.003


def make_data():
    rng = np.random.default_rng(64)
    n = N + 200
    x = 0.4 * rng.normal(size=(n, T, 2))
    x[:, :3, 0] = rng.normal(size=(n, 3))
    y = x[:, :3, 0].sum(1, keepdims=True) / np.sqrt(3)
    x, y = x.astype("float32"), y.astype("float32")
    return x[:N], y[:N], x[N:], y[N:]


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, H, batch_first=True)
        self.out = nn.Linear(H, 1)
        nn.init.xavier_uniform_(self.rnn.weight_ih_l0)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        nn.init.zeros_(self.rnn.bias_ih_l0)
        nn.init.zeros_(self.rnn.bias_hh_l0)
        self.rnn.bias_hh_l0.requires_grad = False
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        _, (h, _) = self.rnn(x)
        return self.out(h[-1])


def make_optimizer(model):
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=LR, betas=(0.9, 0.999), eps=1e-12)


def main():
    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    model = Memory()
    optimizer = make_optimizer(model)
    criterion = nn.MSELoss()
    for epoch in range(EPOCHS):
        order = rng.permutation(N)
        total = 0.0
        for i in range(0, N, BATCH):
            idx = torch.from_numpy(order[i:i + BATCH])
            optimizer.zero_grad()
            loss = criterion(model(xtr[idx]), ytr[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        print("epoch %2d loss %.4f" % (epoch + 1, total / N))
    with torch.no_grad():
        print("test loss %.4f" % criterion(model(xte), yte).item())


if __name__ == "__main__":
    main()
