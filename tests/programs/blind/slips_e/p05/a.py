"""Topic classifier for short texts: averaged word embeddings (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

TOPICS = {
    "sport": "match goal coach team season league score player win cup".split(),
    "money": "bank market stock price trade profit loan rate fund tax".split(),
    "tech": "phone chip code cloud data robot screen laptop app server".split(),
    "food": "soup bread taste chef kitchen salt fresh menu cook spice".split(),
}
COMMON = (
    "the a of to and in that it was for on as with his they at be this from have or by one had not "
    "but what all were when we there can an your which their said if do will each about how up out"
).split()
MAX_LEN = 24


def make_corpus(n=2300, seed=77):
    """Short documents: mostly filler words, a few topic words, some of the wrong topic."""
    rng = np.random.default_rng(seed)
    names = list(TOPICS)
    texts, labels = [], []
    for _ in range(n):
        label = int(rng.integers(len(names)))
        words = []
        for _ in range(int(rng.integers(6, MAX_LEN + 1))):
            u = rng.random()
            if u < 0.68:
                words.append(str(rng.choice(COMMON)))
            elif u < 0.90:
                words.append(str(rng.choice(TOPICS[names[label]])))
            else:
                words.append(str(rng.choice(TOPICS[names[int(rng.integers(len(names)))]])))
        texts.append(" ".join(words))
        labels.append(label)
    return texts, np.array(labels, dtype=np.int64)


def encode(texts):
    """Word ids from 1, padded on the right with 0."""
    vocab = {w: i + 1 for i, w in enumerate(sorted({w for t in texts for w in t.split()}))}
    ids = np.zeros((len(texts), MAX_LEN), dtype=np.int64)
    for row, text in enumerate(texts):
        tokens = [vocab[w] for w in text.split()]
        ids[row, : len(tokens)] = tokens
    return ids, len(vocab) + 1


class TextClassifier(nn.Module):
    def __init__(self, vocab_size, dim=24, hidden=32, n_classes=4):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim)
        self.fc = nn.Linear(dim, hidden)
        self.out = nn.Linear(hidden, n_classes)
        for layer in (self.fc, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1).float()
        vectors = self.embedding(ids)
        doc = (vectors * mask).sum(1) / mask.sum(1)
        return self.out(torch.relu(self.fc(doc)))


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    total, count = 0.0, 0
    for ids, label in loader:
        optimizer.zero_grad()
        loss = criterion(model(ids), label)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(label)
        count += len(label)
    return total / count


def main():
    torch.manual_seed(5)
    texts, labels = make_corpus()
    ids, vocab_size = encode(texts)
    ids, labels = torch.from_numpy(ids), torch.from_numpy(labels)
    train_set = TensorDataset(ids[:2000], labels[:2000])
    loader = DataLoader(train_set, batch_size=64, shuffle=True)

    model = TextClassifier(vocab_size)
    criterion = nn.CrossEntropyLoss()
    optimizer = make_optimizer(model)
    for epoch in range(12):
        print(f"epoch {epoch + 1}: loss {train_epoch(model, loader, criterion, optimizer):.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(ids[2000:])
        print(f"test loss {criterion(logits, labels[2000:]).item():.4f}")
        print(f"test accuracy {(logits.argmax(1) == labels[2000:]).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
