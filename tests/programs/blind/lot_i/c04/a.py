import numpy as np
import torch
import torch.nn as nn

EPOCHS = 8
BATCH = 50
UNITS = 24


def make_data(n=1500, steps=20, seed=21):
    rng = np.random.RandomState(seed)
    x = rng.normal(size=(n, steps, 3)).astype("float32")
    gate = (x[:, :, 1] > 0.3).astype("float32")
    decay = 0.9 ** np.arange(steps)[::-1]
    score = (x[:, :, 0] * gate * decay).sum(1) + 0.3 * x[:, -1, 2]
    y = (score > 0).astype("float32")
    return x[:1200], y[:1200, None], x[1200:], y[1200:, None]


class Recurrent(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.lstm = nn.LSTM(3, units, batch_first=True)
        self.head = nn.Linear(units, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_ih_l0.data[units:2 * units] = 1.0
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        seq, _ = self.lstm(x)
        return self.head(seq[:, -1])


torch.manual_seed(0)
x_train, y_train, x_test, y_test = map(torch.from_numpy, make_data())
model = Recurrent(UNITS)
loss_fn = nn.BCEWithLogitsLoss()
params = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.Adagrad(params, lr=0.05, initial_accumulator_value=0.1, eps=1e-12)

for epoch in range(EPOCHS):
    perm = torch.randperm(len(x_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        opt.zero_grad()
        loss = loss_fn(model(x_train[idx]), y_train[idx])
        loss.backward()
        nn.utils.clip_grad_value_(params, 0.5)
        opt.step()
        total += loss.item() * len(idx)
    with torch.no_grad():
        logits = model(x_test)
        test_loss = loss_fn(logits, y_test).item()
        acc = ((logits > 0).float() == y_test).float().mean().item()
    print(f"epoch {epoch}: train {total / len(x_train):.4f} test {test_loss:.4f} acc {acc:.3f}")
