"""Support-ticket routing: averaged word embeddings, PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

VOCAB = 500
MAX_LEN = 30
CLASSES = 3
BATCH_SIZE = 50
EPOCHS = 6


def make_tickets(n=3600, seed=99):
    """Token ids 1..VOCAB-1, zero is padding at the end."""
    rng = np.random.default_rng(seed)
    base = rng.dirichlet(np.full(VOCAB - 1, 0.4))
    topics = rng.dirichlet(np.full(VOCAB - 1, 0.08), size=CLASSES)
    labels = rng.integers(0, CLASSES, n)
    lengths = rng.integers(8, MAX_LEN + 1, n)
    ids = np.zeros((n, MAX_LEN), dtype=np.int64)
    for i in range(n):
        mix = 0.7 * base + 0.3 * topics[labels[i]]
        ids[i, : lengths[i]] = 1 + rng.choice(VOCAB - 1, size=lengths[i], p=mix / mix.sum())
    return ids, labels


class TicketDataset(Dataset):
    def __init__(self, ids, labels):
        self.ids = torch.as_tensor(ids)
        self.labels = torch.as_tensor(labels)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.ids[i], self.labels[i]


class TicketRouter(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, 32)
        self.hidden = nn.Linear(32, 32)
        self.dropout = nn.Dropout(p=0.3)
        self.out = nn.Linear(32, CLASSES)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1).float()
        mean = (self.embedding(ids) * mask).sum(dim=1) / mask.sum(dim=1)
        return self.out(self.dropout(torch.relu(self.hidden(mean))))


def main():
    torch.manual_seed(21)
    ids, labels = make_tickets()
    train_loader = DataLoader(
        TicketDataset(ids[:3000], labels[:3000]), batch_size=BATCH_SIZE, shuffle=True
    )
    test = TicketDataset(ids[3000:], labels[3000:])

    model = TicketRouter()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)

    for epoch in range(EPOCHS):
        model.train()
        running = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item() * y.size(0)

        model.eval()
        with torch.no_grad():
            logits = model(test.ids)
        acc = (logits.argmax(1) == test.labels).float().mean().item()
        print(f"epoch {epoch + 1}: train loss {running / 3000:.4f}, test acc {acc:.4f}")

    test_loss = criterion(logits, test.labels).item()
    print(f"final test loss {test_loss:.4f}, accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
