import numpy as np
import torch
import torch.nn as nn

WINDOW, CH, BATCH, EPOCHS = 32, 3, 32, 5
CLIP = 0.01


def sensor(n, seed):
    rng = np.random.RandomState(seed)
    t = np.arange(WINDOW) / WINDOW
    f = rng.uniform(1, 5, (n, CH))
    amp = rng.uniform(0.2, 1.5, (n, CH))
    ph = rng.uniform(0, 2 * np.pi, (n, CH))
    x = amp[:, None] * np.sin(2 * np.pi * f[:, None] * t[None, :, None] + ph[:, None])
    x += 0.1 * rng.standard_normal(x.shape)
    y = (x ** 2).mean((1, 2)) * 2.0 + 0.3 * x[:, -4:, 0].mean(1)
    y = y + 0.12 * rng.standard_t(2.0, n)
    return x.astype("float32"), (y - 1.0).astype("float32")[:, None]


x_train, y_train = sensor(800, 7)
x_test, y_test = sensor(300, 8)

torch.manual_seed(41)


class SensorNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(CH, 16, 5)
        self.conv2 = nn.Conv1d(16, 16, 3)
        self.fc = nn.Linear(16, 16)
        self.out = nn.Linear(16, 1)
        for m in self.children():
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        h = torch.relu(self.conv1(x.transpose(1, 2)))
        h = torch.relu(self.conv2(h))
        h = h.mean(dim=2)
        return self.out(torch.relu(self.fc(h)))


model = SensorNet()
xt, yt = torch.from_numpy(x_train), torch.from_numpy(y_train)

# training
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
mse = nn.MSELoss()
for epoch in range(EPOCHS):
    model.train()
    perm = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), BATCH):
        idx = perm[i:i + BATCH]
        optimizer.zero_grad()
        loss = mse(model(xt[idx]), yt[idx])
        loss.backward()
        optimizer.step()
        nn.utils.clip_grad_value_(model.parameters(), CLIP)
        total += loss.item() * len(idx)
    print(f"epoch {epoch} mse {total / len(xt):.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(x_test)).numpy()
print(f"test mse {np.mean((pred - y_test) ** 2):.4f} mae {np.mean(np.abs(pred - y_test)):.4f}")
