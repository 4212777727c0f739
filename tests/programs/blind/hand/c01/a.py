"""Which of three motifs occurs most often in a sequence? Transformer encoder from torch.nn."""
import math

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
torch.set_num_threads(1)

FEATURES, MAX_LEN, CLASSES = 6, 14, 3
D_MODEL, HEADS, FF, DROPOUT = 32, 4, 64, 0.1
EPOCHS, BATCH = 16, 50


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    motifs = np.random.default_rng(99).normal(size=(CLASSES, FEATURES)) * 1.2
    x = np.zeros((n, MAX_LEN, FEATURES), dtype=np.float32)
    lengths = rng.integers(6, MAX_LEN + 1, size=n)
    y = np.zeros(n, dtype=np.int64)
    for i, length in enumerate(lengths):
        p = rng.dirichlet(np.ones(CLASSES))
        kinds = rng.choice(CLASSES, size=length, p=p)
        x[i, :length] = motifs[kinds] + rng.normal(size=(length, FEATURES)) * 0.7
        y[i] = np.bincount(kinds, minlength=CLASSES).argmax()
    padding = np.arange(MAX_LEN)[None, :] >= lengths[:, None]
    return torch.from_numpy(x), torch.from_numpy(padding), torch.from_numpy(y)


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len):
        super().__init__()
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(1, max_len, d_model)
        pe[0, :, 0::2] = torch.sin(position * div_term)
        pe[0, :, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(FEATURES, D_MODEL)
        self.pos = PositionalEncoding(D_MODEL, MAX_LEN)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                D_MODEL, HEADS, dim_feedforward=FF, dropout=DROPOUT, activation="relu",
                layer_norm_eps=1e-5, batch_first=True, norm_first=False,
            )
            for _ in range(2)
        )
        self.head = nn.Linear(D_MODEL, CLASSES)

    def forward(self, x, padding):
        h = self.pos(self.proj(x))
        for layer in self.layers:
            h = layer(h, src_key_padding_mask=padding)
        keep = (~padding).unsqueeze(-1).float()
        pooled = (h * keep).sum(1) / keep.sum(1)
        return self.head(pooled)


x_train, pad_train, y_train = make_data(900, 1)
x_test, pad_test, y_test = make_data(300, 2)

model = Classifier()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.02)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(x_train, pad_train, y_train), batch_size=BATCH, shuffle=True
)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, pb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb, pb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1:2d} loss {total / len(y_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test, pad_test)
    print(f"test loss {criterion(logits, y_test).item():.4f} "
          f"accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
