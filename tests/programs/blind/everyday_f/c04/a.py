"""Topic classification of short notes: averaged word embeddings (PyTorch)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

TOPICS = {
    "sport": "match team goal coach league player season score striker referee final stadium".split(),
    "finance": "stock market bank shares profit investor bond revenue quarter price dividend fund".split(),
    "science": "study cell energy planet data theory lab species particle gene telescope sample".split(),
    "travel": "hotel beach flight island museum tour ticket luggage harbour guide passport train".split(),
}
COMMON = (
    "the a of and in to for with on at new said after this that from which was has over about "
    "more one two last first week year people day time city group report big good long"
).split()
MAX_LEN = 24


def make_corpus(n=2500, seed=42):
    """Short notes: mostly common words, a few of their topic, some of other topics."""
    rng = np.random.default_rng(seed)
    names = list(TOPICS)
    texts, labels = [], []
    for _ in range(n):
        label = int(rng.integers(len(names)))
        words = []
        for _ in range(int(rng.integers(8, MAX_LEN + 1))):
            u = rng.uniform()
            if u < 0.62:
                words.append(COMMON[rng.integers(len(COMMON))])
            elif u < 0.86:
                words.append(TOPICS[names[label]][rng.integers(12)])
            else:
                words.append(TOPICS[names[rng.integers(len(names))]][rng.integers(12)])
        texts.append(" ".join(words))
        labels.append(label)
    return texts, np.array(labels, dtype=np.int64)


def encode(texts):
    """Index 0 is padding; words are numbered in order of appearance."""
    vocab = {"<pad>": 0}
    ids = np.zeros((len(texts), MAX_LEN), dtype=np.int64)
    for i, text in enumerate(texts):
        for j, word in enumerate(text.split()):
            ids[i, j] = vocab.setdefault(word, len(vocab))
    return ids, vocab


class TopicClassifier(nn.Module):
    def __init__(self, vocab_size, dim=32, hidden=32, classes=4):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim)
        self.dropout = nn.Dropout(0.2)
        self.hidden = nn.Linear(dim, hidden)
        self.out = nn.Linear(hidden, classes)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1).float()
        pooled = (self.embedding(ids) * mask).sum(1) / mask.sum(1)
        h = F.relu(self.hidden(self.dropout(pooled)))
        return self.out(h)


if __name__ == "__main__":
    torch.manual_seed(17)
    texts, labels = make_corpus()
    ids, vocab = encode(texts)
    ids, labels = torch.from_numpy(ids), torch.from_numpy(labels)
    train_ids, train_y = ids[:2000], labels[:2000]
    test_ids, test_y = ids[2000:], labels[2000:]

    model = TopicClassifier(len(vocab))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
    batch_size, epochs = 64, 18

    for epoch in range(epochs):
        model.train()
        perm = torch.randperm(len(train_ids))
        running = 0.0
        for start in range(0, len(perm), batch_size):
            idx = perm[start:start + batch_size]
            loss = loss_fn(model(train_ids[idx]), train_y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.item() * len(idx)
        if (epoch + 1) % 3 == 0:
            print(f"epoch {epoch + 1:2d}: train loss {running / len(train_ids):.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(test_ids)
        test_loss = loss_fn(logits, test_y).item()
        accuracy = (logits.argmax(-1) == test_y).float().mean().item()
    print(f"test loss {test_loss:.4f}, accuracy {accuracy:.4f}")
