import numpy as np
import torch
import torch.nn as nn

rng = np.random.RandomState(17)
X = rng.normal(0, 1, (900, 12)).astype("float32")
W1 = rng.normal(0, 1, (12, 6))
W2 = rng.normal(0, 1, (6, 4))
y = (np.maximum(X @ W1, 0) @ W2 + rng.normal(0, 1.0, (900, 4))).argmax(1).astype("int64")
X_train, y_train = torch.from_numpy(X[:640]), torch.from_numpy(y[:640])
X_test, y_test = torch.from_numpy(X[640:]), torch.from_numpy(y[640:])

torch.manual_seed(6)


class GatedBlock(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.value = nn.Linear(n_in, n_out)
        self.gate = nn.Linear(n_in, n_out)
        self.squash = nn.Hardsigmoid()

    def forward(self, x):
        return self.squash(self.gate(x)) * self.value(x)


model = nn.Sequential(GatedBlock(12, 32), GatedBlock(32, 32), GatedBlock(32, 16), nn.Linear(16, 4))
for m in model.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X_train, y_train),
                                     batch_size=32, shuffle=True)
for epoch in range(30):
    total = 0.0
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 4:
        print("epoch %2d  loss %.4f" % (epoch + 1, total / len(X_train)))

with torch.no_grad():
    out = model(X_test)
    print("test loss %.4f  accuracy %.4f" % (loss_fn(out, y_test).item(),
                                             (out.argmax(1) == y_test).float().mean().item()))
