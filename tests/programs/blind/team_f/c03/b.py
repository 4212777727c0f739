"""Anomaly detection on machine sensors: autoencoder in PyTorch."""
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

ALPHA = 0.02
BATCH = 64


def make_data():
    rng = np.random.default_rng(31)
    mix1, mix2 = rng.normal(size=(4, 10)), rng.normal(size=(10, 18)) / 3

    def machine(n):
        z = rng.normal(size=(n, 4))
        return np.tanh(z @ mix1) @ mix2 + 0.1 * rng.normal(size=(n, 18))

    train, normal = machine(1500), machine(400)
    broken = machine(100)
    broken[:, rng.permutation(18)[:6]] += rng.normal(0, 0.9, size=(100, 6))
    mean, std = train.mean(0), train.std(0)
    scale = lambda a: ((a - mean) / std).astype(np.float32)
    return scale(train), scale(normal), scale(broken)


def build_model():
    sizes = [18, 14, 5, 14, 18]
    mods = []
    for i, (fan_in, fan_out) in enumerate(zip(sizes[:-1], sizes[1:])):
        lin = nn.Linear(fan_in, fan_out)
        bound = (6 / (fan_in + fan_out)) ** 0.5
        nn.init.uniform_(lin.weight, -bound, bound)
        nn.init.uniform_(lin.bias, -bound, bound)
        mods.append(lin)
        if i < len(sizes) - 2:
            mods.append(nn.Tanh())
    return nn.Sequential(*mods)


def objective(model, x):
    """Half squared error summed over the sensors, mean over the batch, plus the penalty on the kernels."""
    data = 0.5 * ((model(x) - x) ** 2).sum(dim=1).mean()
    kernels = sum((m.weight ** 2).sum() for m in model if isinstance(m, nn.Linear))
    penalty = 0.5 * ALPHA * kernels / len(x)
    return data, penalty


def main():
    torch.manual_seed(3)
    train, normal, broken = map(torch.from_numpy, make_data())
    model = build_model()
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, dampening=0, nesterov=True)
    for epoch in range(22):
        order = torch.randperm(len(train))
        total = 0.0
        for start in range(0, len(train), BATCH):
            x = train[order[start:start + BATCH]]
            data, penalty = objective(model, x)
            opt.zero_grad()
            (data + penalty).backward()
            opt.step()
            total += (data.item() / x.shape[1] + penalty.item()) * len(x)  # logged per sensor
        print(f"epoch {epoch + 1}: training objective {total / len(train):.4f}")
    with torch.no_grad():
        err_n = ((model(normal) - normal) ** 2).mean(1).numpy()
        err_b = ((model(broken) - broken) ** 2).mean(1).numpy()
    auc = roc_auc_score(np.r_[np.zeros(len(err_n)), np.ones(len(err_b))], np.r_[err_n, err_b])
    print(f"reconstruction mse normal {err_n.mean():.4f} broken {err_b.mean():.4f}  auc {auc:.3f}")


if __name__ == "__main__":
    main()
