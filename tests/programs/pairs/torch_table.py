"""Regression on a table in PyTorch."""

import numpy as np
import torch
from settings import settings, table
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

o = settings(
    seed=0, lr=0.003, batch=32, epochs=4, shuffle=True, drop_last=False, sort=False, scale="standard", init="xavier",
    bias="zeros", loss="mse", opt="adam", eps=1e-8, beta1=0.9, beta2=0.999, momentum=0.0, nesterov=False, decay=0.0,
    l2=0.0, amsgrad=False, clip="", every=1, act="relu", width=32, dtype="float32", schedule="", squeeze=True,
    zero_grad=True, out_bias=True, dropout=0.0,
)  # fmt: skip
torch.manual_seed(o.seed)
torch.set_default_dtype(getattr(torch, o.dtype) if o.dtype != "bfloat16" else torch.float32)
x, y = table(scale=o.scale, sort=o.sort)
dtype = torch.get_default_dtype()
data = TensorDataset(torch.tensor(x, dtype=dtype), torch.tensor(y, dtype=dtype))
loader = DataLoader(data, batch_size=o.batch, shuffle=o.shuffle, drop_last=o.drop_last)
act = {"relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU, "silu": nn.SiLU, "gelu": nn.GELU, "leaky": nn.LeakyReLU}[o.act]
model = nn.Sequential(
    nn.Linear(8, o.width), act(), nn.Dropout(o.dropout), nn.Linear(o.width, o.width), act(),
    nn.Linear(o.width, 1, bias=o.out_bias),
)  # fmt: skip
for layer in model:
    if isinstance(layer, nn.Linear):
        if o.init == "xavier":
            nn.init.xavier_uniform_(layer.weight)
        elif o.init == "he":
            nn.init.kaiming_normal_(layer.weight)
        elif o.init == "normal":
            nn.init.normal_(layer.weight, std=0.05)
        if o.bias == "zeros" and layer.bias is not None:
            nn.init.zeros_(layer.bias)
adam = {"lr": o.lr, "betas": (o.beta1, o.beta2), "eps": o.eps, "weight_decay": o.decay, "amsgrad": o.amsgrad}
if o.opt == "adam":
    optimizer = torch.optim.Adam(model.parameters(), **adam)
elif o.opt == "adamw":
    optimizer = torch.optim.AdamW(model.parameters(), **adam)
elif o.opt == "rmsprop":
    optimizer = torch.optim.RMSprop(model.parameters(), lr=o.lr)
elif o.opt == "adagrad":
    optimizer = torch.optim.Adagrad(model.parameters(), lr=o.lr)
else:
    optimizer = torch.optim.SGD(
        model.parameters(), lr=o.lr, momentum=o.momentum, nesterov=o.nesterov, weight_decay=o.decay
    )
schedule = None
if o.schedule == "step":
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.3)
elif o.schedule == "cosine":
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, o.epochs)
elif o.schedule == "exponential":
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)
criteria = {
    "mse": nn.MSELoss(), "sum": nn.MSELoss(reduction="sum"), "huber": nn.SmoothL1Loss(), "mae": nn.L1Loss(),
    "half": lambda p, t: 0.5 * ((p - t) ** 2).mean(),
}  # fmt: skip
criterion = criteria[o.loss]
model.train()
for epoch in range(o.epochs):
    total, seen = 0.0, 0
    for step, (xb, yb) in enumerate(loader):
        if o.zero_grad and step % o.every == 0:
            optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=o.dtype == "bfloat16"):
            out = model(xb)
        out = out.squeeze(1) if o.squeeze else out
        loss = criterion(out.to(yb.dtype), yb) / o.every
        if o.l2:
            loss = loss + o.l2 * sum((p**2).sum() for p in model.parameters() if p.dim() > 1)
        loss.backward()
        if o.clip == "norm":
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        elif o.clip == "value":
            nn.utils.clip_grad_value_(model.parameters(), 0.05)
        if (step + 1) % o.every == 0:
            optimizer.step()
        total += loss.item() * len(xb)
        seen += len(xb)
    if schedule is not None:
        schedule.step()
    print(f"epoch {epoch + 1}: loss {total / seen:.4f}")
model.eval()
with torch.no_grad():
    print("mse", float(np.mean((model(data.tensors[0]).numpy()[:, 0] - y) ** 2)))
