"""Fault tagging in sessions of variable length: bidirectional GRU (PyTorch)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, TensorDataset

MAX_STEPS, FEATURES = 14, 4
BATCH_SIZE = 50
EPOCHS = 10


def make_sessions():
    """Machine sessions of different length; a step is labelled 1 while the machine is in fault."""
    rng = np.random.default_rng(2718)
    n = 1300
    lengths = rng.integers(7, MAX_STEPS + 1, n)
    x = np.zeros((n, MAX_STEPS, FEATURES), dtype=np.float32)
    y = np.zeros((n, MAX_STEPS), dtype=np.float32)
    for k, length in enumerate(lengths):
        fault = np.zeros(length)
        state = 0.0
        event = np.zeros(length)
        for t in range(length):
            if rng.random() < 0.2:
                state = 1.0 - state
                event[t] = 1.0 if state else -1.0
            fault[t] = state
        noise = rng.normal(size=(length, FEATURES))
        x[k, :length, 0] = event + 0.25 * noise[:, 0]
        x[k, :length, 1] = 0.4 * fault + 0.6 * noise[:, 1]
        x[k, :length, 2] = np.roll(event, -1) * 0.5 + 0.5 * noise[:, 2]
        x[k, :length, 3] = 0.8 * noise[:, 3]
        y[k, :length] = fault
    mask = (np.arange(MAX_STEPS)[None, :] < lengths[:, None]).astype(np.float32)
    return (x[:1000], y[:1000], mask[:1000]), (x[1000:], y[1000:], mask[1000:])


class Tagger(nn.Module):
    def __init__(self, hidden=12):
        super().__init__()
        self.gru = nn.GRU(FEATURES, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, 1)
        for name, p in self.gru.named_parameters():
            if "weight_ih" in name:
                nn.init.xavier_uniform_(p)
            elif "weight_hh" in name:
                nn.init.orthogonal_(p)
            else:
                nn.init.zeros_(p)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x, mask):
        lengths = mask.sum(dim=1).long().cpu()
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=MAX_STEPS)
        return self.head(out).squeeze(-1)


def masked_bce(logits, y, mask):
    """Cross-entropy of the batch, padded steps masked out."""
    bce = F.binary_cross_entropy_with_logits(logits, y, reduction="none")
    return (bce * mask).mean()


def make_optimizer(model):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.99), eps=1e-12)
    # halve the rate every 100 optimizer steps, smoothly
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5 ** (1 / 100))
    return optimizer, scheduler


def train_epoch(model, loader, optimizer, scheduler):
    model.train()
    losses = []
    for x, y, mask in loader:
        optimizer.zero_grad()
        loss = masked_bce(model(x, mask), y, mask)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return np.mean(losses)


def main():
    torch.manual_seed(14)
    train, test = make_sessions()
    train = TensorDataset(*(torch.from_numpy(v) for v in train))
    loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True)
    model = Tagger()
    optimizer, scheduler = make_optimizer(model)
    for epoch in range(EPOCHS):
        print(f"epoch {epoch + 1:2d}  loss {train_epoch(model, loader, optimizer, scheduler):.4f}")

    model.eval()
    x, y, mask = (torch.from_numpy(v) for v in test)
    with torch.no_grad():
        logits = model(x, mask)
        real = mask.bool()
        print(f"test loss {masked_bce(logits, y, mask).item():.4f}")
        print(f"test step accuracy {((logits > 0) == (y == 1))[real].float().mean().item():.4f}")


if __name__ == "__main__":
    main()
