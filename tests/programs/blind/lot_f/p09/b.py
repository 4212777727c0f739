"""Activity recognition from windows of many channels, LSTM in PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
torch.manual_seed(16)

STEPS, CHANNELS, UNITS, ACTIVITIES = 12, 80, 8, 4
rng = np.random.RandomState(303)
patterns = rng.randn(ACTIVITIES, 3, CHANNELS)


def windows(n):
    y = rng.randint(0, ACTIVITIES, n)
    x = rng.randn(n, STEPS, CHANNELS)
    for i in range(n):
        at = np.sort(rng.choice(STEPS, 3, replace=False))
        x[i, at] += 0.5 * patterns[y[i]]
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y.astype(np.int64))


x_train, y_train = windows(800)
x_test, y_test = windows(400)


class Recogniser(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(CHANNELS, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, ACTIVITIES)
        with torch.no_grad():
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[UNITS:2 * UNITS] = 1.0
            self.lstm.bias_hh_l0.zero_()
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        sequence, _ = self.lstm(x)
        return self.out(sequence[:, -1])


model = Recogniser()
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad],
                             lr=4e-3, betas=(0.9, 0.999), eps=1e-12)
for e in range(15):
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(40):
        loss = F.cross_entropy(model(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print("epoch", e, "loss %.4f" % (total / len(x_train)))
model.eval()
with torch.no_grad():
    logits = model(x_test)
    print("test loss %.4f accuracy %.4f" % (F.cross_entropy(logits, y_test),
                                            (logits.argmax(1) == y_test).float().mean()))
