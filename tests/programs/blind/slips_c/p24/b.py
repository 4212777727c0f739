"""Sentiment of short reviews: averaged word embeddings (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(77)

POSITIVE = "great wonderful charming superb moving funny brilliant fresh delightful gripping warm clever".split()
NEGATIVE = "boring awful dull clumsy weak messy tedious bland painful lazy predictable flat".split()
NEUTRAL = (
    "the a this movie film story plot actor actress director scene camera music ending "
    "script dialogue character cast sequel audience minutes really very quite somewhat "
    "and but with about from into which while felt looked was is seemed became again"
).split()


def make_reviews(n, seed):
    """Synthetic film reviews: mostly neutral words, opinion words that lean one way."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        label = int(rng.integers(0, 2))
        words = []
        for _ in range(int(rng.integers(6, 25))):
            if rng.random() < 0.25:
                liked = rng.random() < (0.78 if label else 0.22)
                words.append(str(rng.choice(POSITIVE if liked else NEGATIVE)))
            else:
                words.append(str(rng.choice(NEUTRAL)))
        texts.append(" ".join(words))
        labels.append(label)
    return texts, np.array(labels)


train_texts, train_labels = make_reviews(1900, seed=1)
test_texts, test_labels = make_reviews(600, seed=2)

MAXLEN = 24
vocab = {w: i + 1 for i, w in enumerate(sorted({w for t in train_texts for w in t.split()}))}

class ReviewDataset(Dataset):
    def __init__(self, texts, labels):
        self.ids = [torch.tensor([vocab[w] for w in t.split()][:MAXLEN]) for t in texts]
        self.labels = torch.tensor(labels, dtype=torch.float32)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return self.ids[i], self.labels[i]


def collate(batch):
    ids, labels = zip(*batch)
    return pad_sequence(ids, batch_first=True, padding_value=0), torch.stack(labels)


class MeanEmbeddingClassifier(nn.Module):
    def __init__(self, vocab_size, dim=24, hidden=16):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        self.hidden = nn.Linear(dim, hidden)
        self.dropout = nn.Dropout(0.3)
        self.out = nn.Linear(hidden, 1)

        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1).float()
        emb = self.embedding(ids)
        pooled = (emb * mask).sum(dim=1) / mask.sum(dim=1)
        h = self.dropout(torch.relu(self.hidden(pooled)))
        return self.out(h).squeeze(-1)


train_loader = DataLoader(
    ReviewDataset(train_texts, train_labels), batch_size=40, shuffle=True, collate_fn=collate
)
test_loader = DataLoader(ReviewDataset(test_texts, test_labels), batch_size=200, collate_fn=collate)

model = MeanEmbeddingClassifier(len(vocab) + 1)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)


@torch.no_grad()
def evaluate():
    model.eval()
    loss = correct = n = 0
    for ids, y in test_loader:
        logits = model(ids)
        loss += criterion(logits, y).item() * len(y)
        correct += ((logits > 0) == (y > 0.5)).sum().item()
        n += len(y)
    return loss / n, correct / n


for epoch in range(1, 11):
    model.train()
    total = 0.0
    for ids, y in train_loader:
        loss = criterion(model(ids), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    scheduler.step()
    val_loss, val_acc = evaluate()
    print(
        f"epoch {epoch:2d}  loss {total / len(train_loader.dataset):.4f}  "
        f"val_loss {val_loss:.4f}  val_acc {val_acc:.4f}"
    )

loss, acc = evaluate()
print(f"test loss {loss:.4f}  accuracy {acc:.4f}")
