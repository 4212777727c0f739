"""Customer churn classifier (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
BATCH_SIZE = 64
EPOCHS = 12
POS_WEIGHT = 3.0


def make_data():
    rng = np.random.default_rng(2024)
    n = 2000
    tenure = rng.gamma(2.0, 12.0, n)
    monthly = rng.normal(65, 25, n).clip(15, 140)
    tickets = rng.poisson(1.3, n)
    contract = rng.integers(0, 3, n)  # month-to-month, one year, two years
    autopay = rng.integers(0, 2, n)
    usage = rng.normal(0, 1, (n, 4))
    score = (
        -0.05 * tenure
        + 0.025 * (monthly - 65)
        + 0.6 * tickets
        - 1.1 * contract
        - 0.5 * autopay
        + 0.7 * usage[:, 0] * usage[:, 1]
        - 0.6
    )
    churn = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(np.float32)
    numeric = np.column_stack([tenure, monthly, tickets, usage])
    numeric = (numeric - numeric[:1600].mean(0)) / numeric[:1600].std(0)
    x = np.column_stack([numeric, np.eye(3)[contract], autopay]).astype(np.float32)
    return (x[:1600], churn[:1600]), (x[1600:], churn[1600:])


class ChurnNet(nn.Module):
    def __init__(self, n_features=11):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_features, 48),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(48, 24),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(24, 1),
        )
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.net(x).squeeze(-1)


def make_optimizer(model):
    return torch.optim.AdamW(
        model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.02
    )


def make_loss():
    def weighted_bce(logits, y):
        weight = torch.where(y == 1, POS_WEIGHT, 1.0)
        bce = nn.functional.binary_cross_entropy_with_logits(logits, y, reduction="none")
        return (weight * bce).sum() / weight.sum()

    return weighted_bce


def train_epoch(model, loader, loss_fn, opt):
    model.train()
    total = seen = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
        seen += len(xb)
    return total / seen


@torch.no_grad()
def evaluate(model, x, y):
    model.eval()
    prob = torch.sigmoid(model(x))
    recall = ((prob > 0.5) & (y == 1)).sum() / (y == 1).sum()
    acc = ((prob > 0.5).float() == y).float().mean()
    logloss = nn.functional.binary_cross_entropy(prob, y)
    return logloss.item(), acc.item(), recall.item()


def main():
    torch.manual_seed(SEED)
    (x, y), (x_test, y_test) = make_data()
    loader = DataLoader(
        TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=BATCH_SIZE, shuffle=True
    )
    model = ChurnNet(x.shape[1])
    opt = make_optimizer(model)
    loss_fn = make_loss()
    for epoch in range(EPOCHS):
        loss = train_epoch(model, loader, loss_fn, opt)
        print(f"epoch {epoch + 1:2d}  weighted loss {loss:.4f}")
    ll, acc, rec = evaluate(model, torch.from_numpy(x_test), torch.from_numpy(y_test))
    print(f"test log-loss {ll:.4f}  accuracy {acc:.4f}  recall {rec:.4f}")


if __name__ == "__main__":
    main()
