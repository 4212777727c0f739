import numpy as np
import torch
import torch.nn as nn

VOCAB, LENGTH, TOPICS, DIM = 300, 24, 4, 16
BATCH, EPOCHS = 40, 16


def make_documents(n=1600, seed=55):
    rng = np.random.default_rng(seed)
    common = rng.dirichlet(np.full(VOCAB, 0.5))
    topic = rng.dirichlet(np.full(VOCAB, 0.15), size=TOPICS)
    labels = rng.integers(0, TOPICS, size=n)
    docs = np.empty((n, LENGTH), dtype=np.int64)
    for i, k in enumerate(labels):
        docs[i] = rng.choice(VOCAB, size=LENGTH, p=0.65 * common + 0.35 * topic[k])
    return docs, labels.astype(np.int64)


class TopicModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, DIM)
        self.hidden = nn.Linear(DIM, 32)
        self.out = nn.Linear(32, TOPICS)
        for fc in (self.hidden, self.out):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, tokens):
        h = self.embed(tokens).mean(dim=1)
        return self.out(torch.tanh(self.hidden(h)))


docs, labels = make_documents()
docs, labels = torch.from_numpy(docs), torch.from_numpy(labels)
n_train = 1200
torch.manual_seed(123)
model = TopicModel()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
cross_entropy = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    perm = torch.randperm(n_train)
    seen = 0.0
    for s in range(0, n_train, BATCH):
        rows = perm[s:s + BATCH]
        loss = cross_entropy(model(docs[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += loss.item() * len(rows)
    print(f"epoch {epoch + 1:02d}  loss {seen / n_train:.4f}")

with torch.no_grad():
    logits = model(docs[n_train:])
    loss = cross_entropy(logits, labels[n_train:]).item()
    acc = (logits.argmax(1) == labels[n_train:]).float().mean().item()
print(f"held out: loss {loss:.4f}  accuracy {acc:.4f}")
