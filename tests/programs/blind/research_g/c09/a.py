"""Shared query-key attention over small sets, a decoder tied to the embedding, and two losses
weighed by learned uncertainties. PyTorch."""
import math
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(14)
torch.set_num_threads(1)

N, TOKENS, FEATS, DIM, HEADS, CLASSES = 1200, 8, 6, 24, 3, 3
BATCH, EPOCHS, LR, ACC0, EPS = 80, 25, 0.03, 0.1, 1e-10

rng = np.random.default_rng(2024)
basis = rng.standard_normal((CLASSES, 3, FEATS))
label = rng.integers(0, CLASSES, N + 300)
coef = rng.standard_normal((N + 300, TOKENS, 3))
sets = np.einsum("ntk,nkf->ntf", coef, basis[label]) * 0.6 + 0.3 * rng.standard_normal((N + 300, TOKENS, FEATS))
sets = sets.astype(np.float32)
x_train, y_train = torch.from_numpy(sets[:N]), torch.from_numpy(label[:N])
x_test, y_test = torch.from_numpy(sets[N:]), torch.from_numpy(label[N:])


class TiedAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Parameter(torch.empty(FEATS, DIM))       # also the decoder, transposed
        self.embed_bias = nn.Parameter(torch.zeros(DIM))
        self.qk = nn.Parameter(torch.empty(DIM, DIM))            # queries and keys share it
        self.value = nn.Parameter(torch.empty(DIM, DIM))
        self.merge = nn.Parameter(torch.empty(DIM, DIM))
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.decode_bias = nn.Parameter(torch.zeros(FEATS))
        self.classify = nn.Linear(DIM, CLASSES)
        self.log_var = nn.Parameter(torch.zeros(2))
        for w in (self.embed, self.qk, self.value, self.merge, self.classify.weight):
            nn.init.xavier_uniform_(w)
        nn.init.zeros_(self.classify.bias)

    def forward(self, x):
        h = F.gelu(x @ self.embed + self.embed_bias, approximate="tanh")
        split = (x.shape[0], x.shape[1], HEADS, DIM // HEADS)
        q = (h @ self.qk).view(split)
        v = (h @ self.value).view(split)
        score = torch.einsum("bihd,bjhd->bhij", q, q) / math.sqrt(DIM // HEADS)
        mixed = torch.einsum("bhij,bjhd->bihd", torch.softmax(score, dim=-1), v).flatten(2)
        h = self.norm(h + mixed @ self.merge)
        rebuilt = h @ self.embed.t() + self.decode_bias
        return self.classify(h.mean(dim=1)), rebuilt


def objective(model, x, y):
    logits, rebuilt = model(x)
    ce = F.cross_entropy(logits, y)
    mse = F.mse_loss(rebuilt, x)
    s = model.log_var
    return torch.exp(-s[0]) * ce + 0.5 * s[0] + 0.5 * torch.exp(-s[1]) * mse + 0.5 * s[1], ce, mse


model = TiedAttention()
opt = torch.optim.Adagrad(model.parameters(), lr=LR, lr_decay=0.0, weight_decay=0.0,
                          initial_accumulator_value=ACC0, eps=EPS)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    total = 0.0
    for x, y in loader:
        loss, ce, mse = objective(model, x, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(x)
    print(f"epoch {epoch + 1:2d}  objective {total / N:.4f}")

with torch.no_grad():
    loss, ce, mse = objective(model, x_test, y_test)
    acc = (model(x_test)[0].argmax(1) == y_test).float().mean()
print(f"test objective {loss:.4f}  ce {ce:.4f}  mse {mse:.4f}  accuracy {acc:.4f}  log variances {model.log_var.tolist()}")
