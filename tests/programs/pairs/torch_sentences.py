"""An LSTM that classifies sequences of words, in PyTorch."""

import torch
from settings import sentences, settings
from torch import nn

o = settings(
    seed=0, lr=0.003, batch=32, epochs=3, init="keras", forget=1.0, clip=0.0, opt="adam", dropout=0.0, hidden=24,
    embedding=16, pos_weight=1.0, cell="lstm", layers=1, last=True, smoothing=0.0,
)  # fmt: skip
torch.manual_seed(o.seed)
x, y = (torch.tensor(part) for part in sentences())


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, o.embedding)
        self.lstm = nn.LSTM(o.embedding, o.hidden, num_layers=o.layers, batch_first=True)
        self.drop = nn.Dropout(o.dropout)
        self.head = nn.Linear(o.hidden, 1)

    def forward(self, x):
        out, (state, _) = self.lstm(self.embed(x))
        return self.head(self.drop(state[-1] if o.last else out.mean(1))).squeeze(1)


model = Reader()
if o.init == "keras":
    nn.init.uniform_(model.embed.weight, -0.05, 0.05)
    nn.init.xavier_uniform_(model.head.weight)
    nn.init.zeros_(model.head.bias)
    for name, parameter in model.lstm.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(parameter)
        elif "weight_hh" in name:
            nn.init.orthogonal_(parameter.view(4 * o.hidden, o.hidden))
        else:
            nn.init.zeros_(parameter)
    with torch.no_grad():
        model.lstm.bias_ih_l0[o.hidden : 2 * o.hidden].fill_(o.forget)
optimizer = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}[o.opt](model.parameters(), lr=o.lr)
criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(o.pos_weight) if o.pos_weight != 1.0 else None)
for epoch in range(o.epochs):
    order = torch.randperm(len(x))
    for i in range(0, len(x), o.batch):
        chosen = order[i : i + o.batch]
        loss = criterion(model(x[chosen]), y[chosen].float())
        optimizer.zero_grad()
        loss.backward()
        if o.clip:
            nn.utils.clip_grad_norm_(model.parameters(), o.clip)
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
