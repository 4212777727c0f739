"""Support-ticket topic classifier: bag of embeddings (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

VOCAB, CLASSES, MAXLEN = 500, 4, 32
N_TRAIN, N_TEST = 1900, 400
BATCH = 64
EPOCHS = 12


def make_corpus():
    rng = np.random.RandomState(5)
    background = rng.dirichlet(np.full(VOCAB - 1, 0.3))
    topics = np.stack([rng.dirichlet(np.full(VOCAB - 1, 0.05)) for _ in range(CLASSES)])
    mix = 0.7 * background + 0.3 * topics
    n = N_TRAIN + N_TEST
    labels = rng.randint(0, CLASSES, n)
    tokens = np.zeros((n, MAXLEN), dtype=np.int64)
    for i, c in enumerate(labels):
        length = rng.randint(8, MAXLEN + 1)
        tokens[i, :length] = 1 + rng.choice(VOCAB - 1, size=length, p=mix[c])
    return tokens[:N_TRAIN], labels[:N_TRAIN], tokens[N_TRAIN:], labels[N_TRAIN:]


class TicketClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, 24)
        self.dropout = nn.Dropout(0.8)
        self.hidden = nn.Linear(24, 32)
        self.output = nn.Linear(32, CLASSES)
        nn.init.uniform_(self.embedding.weight, -0.5, 0.5)
        for layer in (self.hidden, self.output):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, tokens):
        mask = (tokens != 0).unsqueeze(-1).float()
        embedded = self.embedding(tokens) * mask
        mean = embedded.sum(1) / mask.sum(1)
        return self.output(torch.relu(self.hidden(self.dropout(mean))))


def main():
    torch.manual_seed(0)
    x_tr, y_tr, x_te, y_te = [torch.as_tensor(a, dtype=torch.long) for a in make_corpus()]
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=BATCH, shuffle=True)
    model = TicketClassifier()
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.8)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)

    for epoch in range(EPOCHS):
        model.train()
        loss_sum, hits = 0.0, 0
        for tokens, labels in loader:
            optimizer.zero_grad()
            logits = model(tokens)
            loss = criterion(logits, labels)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(labels)
            hits += (logits.argmax(1) == labels).sum().item()
        scheduler.step()
        print(f"epoch {epoch + 1:2d}  loss {loss_sum / N_TRAIN:.4f}  accuracy {hits / N_TRAIN:.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_te)
        loss = criterion(logits, y_te).item()
        acc = (logits.argmax(1) == y_te).float().mean().item()
    print(f"test loss {loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
