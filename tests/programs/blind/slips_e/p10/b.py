import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(8)

T, F, E, HEADS, CLASSES = 12, 6, 24, 3, 4
BATCH, EPOCHS = 48, 12


def make(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, T, F)).astype("float32")
    label = rng.integers(0, CLASSES, n)
    where = rng.integers(0, T, n)
    x[np.arange(n), where, 0] = 3.5
    x[np.arange(n), where, 1:1 + CLASSES] = 0.0
    x[np.arange(n), where, 1 + label] = 2.0
    return torch.from_numpy(x), torch.from_numpy(label)


x_train, y_train = make(1200, 10)
x_test, y_test = make(400, 11)
steps = EPOCHS * (len(x_train) // BATCH)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(F, E)
        self.att = nn.MultiheadAttention(E, HEADS, dropout=0.0, bias=False, batch_first=True)
        self.norm1 = nn.LayerNorm(E, eps=1e-5)
        self.ff1 = nn.Linear(E, 48)
        self.drop = nn.Dropout(0.1)
        self.ff2 = nn.Linear(48, E)
        self.norm2 = nn.LayerNorm(E, eps=1e-5)
        self.out = nn.Linear(E, CLASSES)
        self.reset()

    def reset(self):
        for lin in (self.embed, self.ff1, self.ff2, self.out):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        nn.init.xavier_uniform_(self.att.out_proj.weight)

    def forward(self, x):
        h = self.embed(x)
        a, _ = self.att(h, h, h, need_weights=False)
        h = self.norm1(h + a)
        f = self.ff2(self.drop(torch.relu(self.ff1(h))))
        h = self.norm2(h + f)
        return self.out(h.mean(dim=1))


model = Encoder()
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3, betas=(0.9, 0.98), eps=1e-12)
warm = 40
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda k: min((k + 1) / warm, (steps - k) / (steps - warm)))

for epoch in range(EPOCHS):
    model.train()
    loss_sum, hits = 0.0, 0
    for rows in torch.randperm(len(x_train)).split(BATCH):
        logits = model(x_train[rows])
        loss = criterion(logits, y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        loss_sum += loss.item() * len(rows)
        hits += (logits.argmax(1) == y_train[rows]).sum().item()
    print(f"epoch {epoch + 1}: loss {loss_sum / len(x_train):.4f} accuracy {hits / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    loss = criterion(logits, y_test).item()
    acc = (logits.argmax(1) == y_test).float().mean().item()
print(f"test: smoothed loss {loss:.4f}, accuracy {acc:.4f}")
