import numpy as np
import torch
import torch.nn as nn

BATCH = 4
EPOCHS = 4
LR = 0.003


def make_data():
    rng = np.random.default_rng(77)
    x = rng.normal(size=(880, 6))
    y = x[:, 0] - 0.8 * x[:, 1] + 0.6 * np.tanh(2 * x[:, 2]) + 0.4 * x[:, 3] + 0.05 * rng.normal(size=880)
    y = y / y.std()
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:480], y[:480], x[480:], y[480:]


def linear(n_in, n_out, bias):
    fc = nn.Linear(n_in, n_out, bias=bias)
    nn.init.xavier_uniform_(fc.weight)
    if bias:
        nn.init.zeros_(fc.bias)
    return fc


def build_model():
    return nn.Sequential(
        linear(6, 32, False),
        nn.BatchNorm1d(32, eps=1e-3, momentum=0.05),
        nn.ReLU(),
        linear(32, 32, False),
        nn.BatchNorm1d(32, eps=1e-3, momentum=0.05),
        nn.ReLU(),
        linear(32, 1, True),
    )


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=LR, momentum=0.8)


def main():
    torch.manual_seed(6)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    model = build_model()
    opt = make_optimizer(model)
    criterion = nn.MSELoss()
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(xtr)).split(BATCH):
            loss = criterion(model(xtr[idx]), ytr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        model.eval()
        with torch.no_grad():
            val = criterion(model(xte), yte).item()
        print(f"epoch {epoch + 1} loss {total / len(xtr):.4f} val {val:.4f}")


if __name__ == "__main__":
    main()
