import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from torch.utils.data import DataLoader, TensorDataset

BATCH = 128
EPOCHS = 35
LR = 0.02


def make_data():
    d = load_breast_cancer()
    x, y = d.data, d.target
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order], y[order]
    x = (x - x[:380].mean(0)) / x[:380].std(0)
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:380], y[:380], x[380:], y[380:]


def build_model():
    model = nn.Sequential(nn.Linear(30, 16), nn.Sigmoid(), nn.Linear(16, 1))
    nn.init.xavier_uniform_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    nn.init.xavier_uniform_(model[2].weight)
    nn.init.zeros_(model[2].bias)
    return model


def main():
    torch.manual_seed(14)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    loader = DataLoader(TensorDataset(xtr, ytr), batch_size=BATCH, shuffle=True)
    model = build_model()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
    for epoch in range(EPOCHS):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
        if (epoch + 1) % 5 == 0:
            with torch.no_grad():
                print("epoch %d train loss %.4f" % (epoch + 1, criterion(model(xtr), ytr).item()))
    with torch.no_grad():
        out = model(xte)
        print("test loss %.4f acc %.4f" % (criterion(out, yte).item(), ((out > 0).float() == yte).float().mean().item()))


if __name__ == "__main__":
    main()
