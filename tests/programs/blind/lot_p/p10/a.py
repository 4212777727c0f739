import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(8)

VOCAB, MAXLEN, DIM = 60, 24, 12


def documents(n, seed):
    rng = np.random.default_rng(seed)
    sentiment = np.random.default_rng(99).normal(size=VOCAB)
    docs = np.zeros((n, MAXLEN), dtype="int64")
    labels = np.zeros(n, dtype="float32")
    for i in range(n):
        k = min(3 + rng.geometric(0.2), MAXLEN)
        docs[i, :k] = rng.integers(1, VOCAB, size=k)
        labels[i] = sentiment[docs[i, :k]].sum() + 0.3 * rng.normal() > 0
    return docs, labels[:, None]


d_train, l_train = map(torch.from_numpy, documents(640, 4))
d_test, l_test = map(torch.from_numpy, documents(400, 5))


class BagOfWords(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, DIM, padding_idx=0)
        self.fc1 = nn.Linear(DIM, 24)
        self.fc2 = nn.Linear(24, 1)
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, docs):
        h = self.embedding(docs).sum(dim=1) / MAXLEN ** 0.5
        return self.fc2(torch.tanh(self.fc1(h)))


model = BagOfWords()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(d_train, l_train), batch_size=32, shuffle=True)

# train
for epoch in range(25):
    model.train()
    for docs, labels in loader:
        optimizer.zero_grad()
        criterion(model(docs), labels).backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    for split, docs, labels in (("train", d_train, l_train), ("test", d_test, l_test)):
        z = model(docs)
        acc = ((z > 0).float() == labels).float().mean().item()
        print(split, "loss %.4f accuracy %.4f" % (criterion(z, labels).item(), acc))
