import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH = 32
EPOCHS = 30
LR = 0.01
WD = 0.01


def make_data():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(720, 8))
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] + 0.1 * rng.normal(size=720)
    y = (y - y[:320].mean()) / y[:320].std()
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:320], y[:320], x[320:], y[320:]


def build_model():
    model = nn.Sequential(nn.Linear(8, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 1))
    nn.init.kaiming_uniform_(model[0].weight, nonlinearity="relu")
    nn.init.kaiming_uniform_(model[2].weight, nonlinearity="relu")
    nn.init.xavier_uniform_(model[4].weight)
    for i in (0, 2, 4):
        nn.init.zeros_(model[i].bias)
    return model


def make_optimizer(model):
    kernels = [p for name, p in model.named_parameters() if name.endswith("weight")]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    return torch.optim.SGD([
        {"params": kernels, "weight_decay": WD},
        {"params": biases, "weight_decay": 0.0},
    ], lr=LR, momentum=0.9)


def main():
    torch.manual_seed(2)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    model = build_model()
    optimizer = make_optimizer(model)
    for epoch in range(EPOCHS):
        for idx in torch.randperm(len(xtr)).split(BATCH):
            optimizer.zero_grad()
            F.mse_loss(model(xtr[idx]), ytr[idx]).backward()
            optimizer.step()
    with torch.no_grad():
        print("train mse %.4f" % F.mse_loss(model(xtr), ytr).item())
        print("test mse %.4f" % F.mse_loss(model(xte), yte).item())


if __name__ == "__main__":
    main()
