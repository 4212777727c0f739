import numpy as np
import torch
from torch import nn

CHANNELS, STEPS, CLASSES, UNITS = 64, 10, 4, 8


def make_sequences(n, seed):
    basis = np.random.RandomState(99).normal(0, 1, (2, CHANNELS))
    rng = np.random.RandomState(seed)
    labels = rng.randint(0, CLASSES, n)
    x = rng.normal(0, 1.0, (n, STEPS, CHANNELS))
    early = np.where(labels // 2 == 0, -1.0, 1.0)
    late = np.where(labels % 2 == 0, -1.0, 1.0)
    x[:, :3] += 0.3 * early[:, None, None] * basis[0]
    x[:, 5:8] += 0.3 * late[:, None, None] * basis[1]
    return x.astype("float32"), labels.astype("int64")


x_train, y_train = make_sequences(800, 1)
x_test, y_test = make_sequences(400, 2)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(CHANNELS, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, CLASSES)
        with torch.no_grad():
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[UNITS:2 * UNITS] = 1.0
            self.lstm.bias_hh_l0.zero_()
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


torch.manual_seed(3)
model = Classifier()
criterion = nn.CrossEntropyLoss()
params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.Adam(params, lr=3e-3, betas=(0.9, 0.999), eps=1e-12)

xt, yt = torch.from_numpy(x_train), torch.from_numpy(y_train)
for epoch in range(12):
    perm = torch.randperm(len(xt))
    total = 0.0
    for batch in perm.split(40):
        optimizer.zero_grad()
        loss = criterion(model(xt[batch]), yt[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1:2d}  loss {total / len(xt):.4f}")

with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f}  accuracy {(logits.argmax(1).numpy() == y_test).mean():.4f}")
