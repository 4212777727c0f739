"""Click-through model: DeepFM on six fields and three hashed crosses."""
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

FIELDS = {"hour": 24, "device": 6, "site": 40, "campaign": 30, "region": 12, "age": 8}
CROSSES = [("device", "hour"), ("site", "campaign"), ("region", "age")]
BUCKETS = 96


def make_clicks(n, seed):
    """Ids of six fields and three hashed crosses, in one common numbering; clicks as 0/1."""
    world = np.random.RandomState(77)
    main = {k: world.normal(0, 0.5, v) for k, v in FIELDS.items()}
    taste = {k: world.normal(0, 0.9, (v, 3)) for k, v in FIELDS.items()}
    rng = np.random.RandomState(seed)
    cols = {}
    for k, v in FIELDS.items():
        p = 1.0 / np.arange(1, v + 1) ** 0.7
        cols[k] = rng.choice(v, size=n, p=p / p.sum())
    score = -0.9 + sum(main[k][cols[k]] for k in FIELDS)
    for one, two in CROSSES:
        score = score + (taste[one][cols[one]] * taste[two][cols[two]]).sum(1)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-score))).astype("float32")
    ids, offset = [], 0
    for k, v in FIELDS.items():
        ids.append(cols[k] + offset)
        offset += v
    for j, (one, two) in enumerate(CROSSES):
        h = (cols[one] * 7919 + cols[two] * 104729 + j * 31) % BUCKETS
        ids.append(h + offset)
        offset += BUCKETS
    return np.stack(ids, 1).astype("int64"), y, offset


SEED = 11
EPOCHS, BATCH, DIM = 6, 128, 8
torch.manual_seed(SEED)
torch.set_num_threads(1)


class DeepFM(nn.Module):
    def __init__(self, n_ids, n_fields, dim):
        super().__init__()
        self.first = nn.Embedding(n_ids, 1)
        self.factors = nn.Embedding(n_ids, dim)
        self.bias = nn.Parameter(torch.zeros(1))
        self.deep = nn.Sequential(
            nn.Linear(n_fields * dim, 32), nn.ReLU(),
            nn.Linear(32, 16), nn.ReLU(),
            nn.Linear(16, 1),
        )
        nn.init.normal_(self.first.weight, std=0.01)
        nn.init.normal_(self.factors.weight, std=0.05)

    def forward(self, ids):
        v = self.factors(ids)                                   # (B, F, D)
        linear = self.first(ids).sum(dim=(1, 2))
        square_of_sum = v.sum(dim=1).pow(2)
        sum_of_square = v.pow(2).sum(dim=1)
        pairs = 0.5 * (square_of_sum - sum_of_square).sum(dim=1)
        deep = self.deep(v.flatten(1)).squeeze(1)
        return self.bias + linear + pairs + deep


x_train, y_train, n_ids = make_clicks(6000, 1)
x_test, y_test, _ = make_clicks(3000, 2)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)
model = DeepFM(n_ids, x_train.shape[1], DIM)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.03, lr_decay=0.0, weight_decay=0.0,
                                initial_accumulator_value=0.1, eps=1e-10)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1}  train loss {total / len(y_train):.4f}")

model.eval()
with torch.no_grad():
    z = model(torch.from_numpy(x_test))
    test_loss = criterion(z, torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f}  auc {roc_auc_score(y_test, z.numpy()):.4f}")
