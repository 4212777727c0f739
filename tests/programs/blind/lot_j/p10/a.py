import numpy as np
import torch
import torch.nn as nn

L, D, E, HEADS, K = 10, 8, 32, 4, 5


def make_data(seed=404, n=1536):
    # the class is carried by the token whose last feature is the largest
    rng = np.random.default_rng(seed)
    proto = rng.normal(size=(K, D - 1)) * 1.2
    cls = rng.integers(0, K, size=(n, L))
    x = np.empty((n, L, D))
    x[..., :-1] = proto[cls] + 0.5 * rng.normal(size=(n, L, D - 1))
    x[..., -1] = rng.normal(size=(n, L)) * 0.3
    pick = rng.integers(0, L, size=n)
    x[np.arange(n), pick, -1] += 2.5
    return x.astype(np.float32), cls[np.arange(n), pick].astype(np.int64)


x, y = make_data()
x_train, y_train = torch.from_numpy(x[:1280]), torch.from_numpy(y[:1280])
x_test, y_test = torch.from_numpy(x[1280:]), torch.from_numpy(y[1280:])

torch.manual_seed(13)


class AttentionClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(D, E)
        self.attn = nn.MultiheadAttention(E, HEADS, dropout=0.0, batch_first=True)
        self.norm = nn.LayerNorm(E, eps=1e-5)
        self.fc = nn.Linear(E, K)
        for lin in (self.embed, self.fc):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, x):
        h = self.embed(x)
        a, _ = self.attn(h, h, h, need_weights=False)
        return self.fc(self.norm(h + a).mean(dim=1))


model = AttentionClassifier()
criterion = nn.CrossEntropyLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

for epoch in range(10):
    order = torch.randperm(1280)
    run = 0.0
    model.train()
    for i in range(0, 1280, 64):
        idx = order[i:i + 64]
        opt.zero_grad()
        loss = criterion(model(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        run += loss.item() * 64
    model.eval()
    with torch.no_grad():
        out = model(x_test)
        print(f"[{epoch + 1:2d}] train {run / 1280:.4f} test {criterion(out, y_test).item():.4f} "
              f"acc {(out.argmax(1) == y_test).float().mean().item():.4f}")
