import numpy as np
import torch
from torch import nn

torch.manual_seed(30)


def images(n, seed):
    rng = np.random.default_rng(seed)
    g = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    yy, xx = np.meshgrid(g, g, indexing="ij")
    out = np.zeros((n, 16, 16))
    for _ in range(4):
        fx, fy = rng.integers(-3, 4, size=(2, n, 1, 1))
        out += rng.normal(size=(n, 1, 1)) * np.sin(fx * xx + fy * yy + rng.uniform(0, 6.3, (n, 1, 1)))
    high = out.astype("float32")
    return high[:, ::2, ::2], high


def to_tensor(a):
    return torch.from_numpy(np.ascontiguousarray(a[:, None]))


lo_train, hi_train = map(to_tensor, images(400, 10))
lo_test, hi_test = map(to_tensor, images(150, 20))

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1, output_padding=1),
)
for m in (net[0], net[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
opt = torch.optim.Adam(net.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-12)
mse = nn.MSELoss()
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(lo_train, hi_train), batch_size=20, shuffle=True)

# train
for epoch in range(20):
    for lo, hi in loader:
        opt.zero_grad()
        mse(net(lo), hi).backward()
        opt.step()

with torch.no_grad():
    print("train mse %.5f" % mse(net(lo_train), hi_train).item())
    print("test mse %.5f" % mse(net(lo_test), hi_test).item())
