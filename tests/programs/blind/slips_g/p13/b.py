"""Building energy: one network, two outputs (loads and efficiency class), PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN, N_TEST = 1800, 450
FEATURES, CLASSES = 8, 3
BATCH, EPOCHS = 100, 15
LABEL_WEIGHT = 0.4


def make_buildings():
    rng = np.random.RandomState(19)
    n = N_TRAIN + N_TEST
    x = rng.uniform(-1.7, 1.7, (n, FEATURES))
    heating = 1.2 * x[:, 0] - x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3]) + 0.15 * rng.randn(n)
    cooling = 0.8 * x[:, 0] + np.tanh(2 * x[:, 4]) + 0.3 * x[:, 1] + 0.15 * rng.randn(n)
    loads = np.column_stack([heating, cooling])
    loads = (loads - loads[:N_TRAIN].mean(0)) / loads[:N_TRAIN].std(0)
    total = loads.sum(1) + 0.4 * x[:, 5] + 0.2 * rng.randn(n)
    label = np.digitize(total, np.quantile(total[:N_TRAIN], [0.4, 0.75]))
    x, loads, label = x.astype("float32"), loads.astype("float32"), label.astype("int64")
    return (x[:N_TRAIN], loads[:N_TRAIN], label[:N_TRAIN]), \
           (x[N_TRAIN:], loads[N_TRAIN:], label[N_TRAIN:])


class EnergyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk1 = nn.Linear(FEATURES, 64)
        self.norm = nn.LayerNorm(64)              # eps 1e-5
        self.trunk2 = nn.Linear(64, 48)
        self.loads = nn.Linear(48, 2)
        self.dropout = nn.Dropout(0.15)
        self.label = nn.Linear(48, CLASSES)
        self.apply(self._init)

    @staticmethod
    def _init(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, x):
        h = self.norm(F.elu(self.trunk1(x)))
        h = F.elu(self.trunk2(h))
        return self.loads(h), self.label(self.dropout(h))


def criterion(outputs, loads, label):
    pred_loads, logits = outputs
    return F.mse_loss(pred_loads, loads) + LABEL_WEIGHT * F.cross_entropy(logits, label)


def make_optimizer(model):
    return torch.optim.Adagrad(model.parameters(), lr=0.04, eps=1e-10)


def main():
    torch.manual_seed(12)
    train, test = make_buildings()
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, train)),
                        batch_size=BATCH, shuffle=True)
    model = EnergyNet()
    optimizer = make_optimizer(model)

    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for x, loads, label in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), loads, label)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        print(f"epoch {epoch + 1:2d} loss {total / N_TRAIN:.4f}")

    model.eval()
    x, loads, label = map(torch.from_numpy, test)
    with torch.no_grad():
        pred_loads, logits = model(x)
    print(f"test loads mse {F.mse_loss(pred_loads, loads).item():.4f} "
          f"label accuracy {(logits.argmax(1) == label).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
