"""Is the sum of the two marked values positive?  LSTM in PyTorch, set up as Keras does it."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def make_data():
    rng = np.random.default_rng(61)
    n, t = 1500, 16
    values = rng.uniform(-1, 1, (n, t))
    marks = np.zeros((n, t))
    first = rng.integers(0, t // 2, n)
    second = rng.integers(t // 2, t, n)
    rows = np.arange(n)
    marks[rows, first] = 1
    marks[rows, second] = 1
    x = np.stack([values, marks], axis=2).astype(np.float32)
    y = (values[rows, first] + values[rows, second] > 0).astype(np.float32)[:, None]
    return x[:1100], y[:1100], x[1100:], y[1100:]


class Classifier(nn.Module):
    def __init__(self, features=2, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        with torch.no_grad():
            nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
            nn.init.orthogonal_(self.lstm.weight_hh_l0)
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[hidden:2 * hidden] = 1.0  # forget gate
            self.lstm.bias_hh_l0.zero_()
            nn.init.xavier_uniform_(self.head.weight)
            nn.init.zeros_(self.head.bias)
        self.lstm.bias_hh_l0.requires_grad_(False)  # one bias, as in Keras

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


def make_optimizer(model):
    params = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.Adam(params, lr=6e-3, betas=(0.9, 0.999), eps=1e-12)


def train_step(model, optimizer, x, y):
    loss = F.binary_cross_entropy_with_logits(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def main():
    torch.manual_seed(90)
    torch.set_num_threads(1)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, make_data())
    model = Classifier()
    optimizer = make_optimizer(model)
    for epoch in range(16):
        model.train()
        order = torch.randperm(len(x_train))
        total = 0.0
        for idx in order.split(64):
            total += train_step(model, optimizer, x_train[idx], y_train[idx]).item() * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / len(order):.4f}")
    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        acc = ((logits > 0) == (y_test > 0.5)).float().mean().item()
        print(f"test loss {F.binary_cross_entropy_with_logits(logits, y_test).item():.4f}  test accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
