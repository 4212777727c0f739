"""Disease progression from ten clinical measurements (PyTorch)."""
import math

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN = 400
BATCH = 40
EPOCHS = 45
ALPHA = 0.4


def load():
    X, y = load_diabetes(return_X_y=True)
    order = np.random.RandomState(7).permutation(len(X))
    X, y = X[order], y[order]
    x_scaler = StandardScaler().fit(X[:N_TRAIN])
    y_mean, y_std = y[:N_TRAIN].mean(), y[:N_TRAIN].std()
    X = x_scaler.transform(X).astype(np.float32)
    y = ((y - y_mean) / y_std).astype(np.float32)
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:], y_std


class Regressor(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_in, 32), nn.Tanh(),
            nn.Linear(32, 16), nn.Tanh(),
            nn.Linear(16, 1),
        )
        for m in self.net:
            if isinstance(m, nn.Linear):
                # the MLP in scikit-learn draws weights and biases from the same interval
                bound = math.sqrt(6.0 / (m.in_features + m.out_features))
                nn.init.uniform_(m.weight, -bound, bound)
                nn.init.uniform_(m.bias, -bound, bound)

    def forward(self, x):
        return self.net(x).squeeze(-1)


def half_mse(pred, target):
    return 0.5 * (pred - target).pow(2).mean()


def make_optimizer(model):
    weights = [p for n, p in model.named_parameters() if n.endswith("weight")]
    biases = [p for n, p in model.named_parameters() if n.endswith("bias")]
    # the penalty is alpha / (2 * batch) * sum(w ** 2), on weights only
    return torch.optim.SGD(
        [{"params": weights, "weight_decay": ALPHA / BATCH},
         {"params": biases, "weight_decay": 0.0}],
        lr=0.01, momentum=0.9, nesterov=True,
    )


def main():
    torch.manual_seed(21)
    X_train, y_train, X_test, y_test, y_std = (
        torch.from_numpy(v) if isinstance(v, np.ndarray) else v for v in load())
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=BATCH, shuffle=True)

    model = Regressor(X_train.shape[1])
    opt = make_optimizer(model)
    for epoch in range(EPOCHS):
        model.train()
        for xb, yb in loader:
            opt.zero_grad()
            loss = half_mse(model(xb), yb)
            loss.backward()
            opt.step()

    model.eval()
    with torch.no_grad():
        for name, X, y in (("train", X_train, y_train), ("test", X_test, y_test)):
            mse = (model(X) - y).pow(2).mean().item()
            r2 = 1.0 - mse / y.var(unbiased=False).item()
            print(f"{name}: mse {mse:.4f}  rmse {math.sqrt(mse) * y_std:.1f}  r2 {r2:.3f}")


if __name__ == "__main__":
    main()
