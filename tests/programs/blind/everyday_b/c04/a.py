import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

VOCAB, MAXLEN, CLASSES = 300, 18, 3


def make_reviews(n, seed):
    """Documents as word ids 1..VOCAB-1, padded at the end with 0."""
    rng = np.random.default_rng(seed)
    docs = np.zeros((n, MAXLEN), dtype="int64")
    topic = rng.integers(0, CLASSES, n)
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        common = rng.integers(1, 200, length)
        special = 200 + 33 * topic[i] + rng.integers(0, 33, length)
        docs[i, :length] = np.where(rng.random(length) < 0.25, special, common)
    return docs, topic.astype("int64")


docs, topics = make_reviews(2100, seed=5)
x_train, y_train = docs[:1600], topics[:1600]
x_test, y_test = docs[1600:], topics[1600:]


class BagOfEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, 16)
        self.hidden = nn.Linear(16, 24)
        self.out = nn.Linear(24, CLASSES)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids):
        mask = (ids != 0).float().unsqueeze(-1)
        mean = (self.embedding(ids) * mask).sum(1) / mask.sum(1)
        return self.out(torch.tanh(self.hidden(mean)))


torch.manual_seed(21)
model = BagOfEmbeddings()
optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[8], gamma=0.1)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=32, shuffle=True
)

# ---- training
for epoch in range(11):
    model.train()
    running = 0.0
    for ids, target in loader:
        loss = criterion(model(ids), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        running += loss.item() * ids.size(0)
    scheduler.step()
    print(f"epoch {epoch + 1:2d}  loss {running / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    target = torch.from_numpy(y_test)
    print(f"test loss {criterion(logits, target).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == target).float().mean().item():.4f}")
