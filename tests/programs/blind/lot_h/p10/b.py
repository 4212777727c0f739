import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

BATCH = 40
EPOCHS = 10
LR = 0.01


def make_data():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(1000, 10))
    w = rng.normal(size=(10, 1))
    y = x @ w / np.linalg.norm(w) + 0.3 * (np.abs(x[:, :1]) - 0.8) + 0.05 * rng.normal(size=(1000, 1))
    y = y / y.std()
    x, y = x.astype("float32"), y.astype("float32")
    return x[:800], y[:800], x[800:], y[800:]


def build_model(width=8, depth=3):
    mods, n_in = [], 10
    for _ in range(depth):
        mods += [nn.Linear(n_in, width), nn.PReLU(num_parameters=width)]
        n_in = width
    mods.append(nn.Linear(n_in, 1))
    model = nn.Sequential(*mods)
    for m in model.modules():
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return model


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=LR)


def main():
    torch.manual_seed(1003)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    loader = DataLoader(TensorDataset(xtr, ytr), batch_size=BATCH, shuffle=True)
    model = build_model()
    criterion = nn.MSELoss()
    optimizer = make_optimizer(model)
    for epoch in range(EPOCHS):
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        print("epoch %d loss %.4f" % (epoch + 1, total / len(xtr)))
    with torch.no_grad():
        print("test loss %.4f" % criterion(model(xte), yte).item())


if __name__ == "__main__":
    main()
