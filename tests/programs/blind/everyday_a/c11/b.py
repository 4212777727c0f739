"""Building energy: two loads and an efficiency class from one network (PyTorch)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 50
EPOCHS = 18


def make_buildings():
    """Building descriptors -> heating and cooling load, and an efficiency class."""
    rng = np.random.default_rng(4711)
    n = 1500
    x = rng.uniform(-1, 1, (n, 9))
    area, height, glazing, roof = x[:, 0], x[:, 1], x[:, 2], x[:, 3]
    heating = 1.5 * area * height + np.exp(glazing) - 1.2 * roof**2 + 0.5 * x[:, 4]
    cooling = 2.0 * glazing * np.cos(2 * x[:, 5]) + 0.8 * area + 0.6 * np.abs(x[:, 6])
    loads = np.column_stack([heating, cooling]) + 0.1 * rng.normal(size=(n, 2))
    loads = (loads - loads[:1200].mean(0)) / loads[:1200].std(0)
    score = heating + cooling + 0.3 * rng.normal(size=n)
    grade = np.digitize(score, np.quantile(score[:1200], [1 / 3, 2 / 3]))
    x, loads, grade = x.astype("float32"), loads.astype("float32"), grade.astype("int64")
    return (x[:1200], loads[:1200], grade[:1200]), (x[1200:], loads[1200:], grade[1200:])


class EnergyNet(nn.Module):
    def __init__(self, n_features=9):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(n_features, 64),
            nn.LayerNorm(64, eps=1e-5),
            nn.LeakyReLU(0.1),
            nn.Linear(64, 32),
            nn.LeakyReLU(0.1),
        )
        self.loads = nn.Linear(32, 2)
        self.grade = nn.Linear(32, 3)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = self.trunk(x)
        return self.loads(h), self.grade(h)


def joint_loss(output, loads, grade):
    pred_loads, logits = output
    return F.mse_loss(pred_loads, loads) + 0.5 * F.cross_entropy(logits, grade)


def make_optimizer(model):
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3, betas=(0.9, 0.999), eps=1e-12)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[10, 15], gamma=0.3)
    return optimizer, scheduler


def train_epoch(model, loader, optimizer):
    model.train()
    total = 0.0
    for x, loads, grade in loader:
        loss = joint_loss(model(x), loads, grade)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.05)
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def main():
    torch.manual_seed(64)
    train, test = make_buildings()
    train = TensorDataset(*(torch.from_numpy(v) for v in train))
    loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True)
    model = EnergyNet()
    optimizer, scheduler = make_optimizer(model)
    for epoch in range(EPOCHS):
        loss = train_epoch(model, loader, optimizer)
        scheduler.step()
        print(f"epoch {epoch + 1:2d}/{EPOCHS}  loss {loss:.4f}")

    model.eval()
    x, loads, grade = (torch.from_numpy(v) for v in test)
    with torch.no_grad():
        pred_loads, logits = model(x)
    print(f"test load mse {F.mse_loss(pred_loads, loads).item():.4f}")
    print(f"test grade accuracy {(logits.argmax(1) == grade).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
