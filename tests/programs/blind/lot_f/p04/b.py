"""Fine-tune an MLP whose first layer starts from a PCA whitening."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(2)

DIM, N_TRAIN, N_TEST = 16, 1200, 500
rng = np.random.default_rng(808)
latent = rng.normal(size=(N_TRAIN + N_TEST, DIM))
mixing = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]
spread = np.geomspace(3.0, 0.1, DIM)
features = (latent * spread) @ mixing.T
classes = (latent[:, 3] + latent[:, 10] > 0).astype(int) + 2 * (latent[:, 6] - latent[:, 13] > 0).astype(int)
features, classes = features.astype(np.float32), classes.astype(np.int64)
x_train, y_train = features[:N_TRAIN], classes[:N_TRAIN]
x_test, y_test = torch.from_numpy(features[N_TRAIN:]), torch.from_numpy(classes[N_TRAIN:])

# PCA whitening of the training features
eigval, eigvec = np.linalg.eigh(np.cov(x_train.T))
whitening = (eigvec / np.sqrt(eigval)).T.astype(np.float32)

whiten = nn.Linear(DIM, DIM)
hidden = nn.Linear(DIM, 32)
output = nn.Linear(32, 4)
with torch.no_grad():
    whiten.weight.copy_(torch.from_numpy(whitening))
    whiten.bias.zero_()
for layer in (hidden, output):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
model = nn.Sequential(whiten, hidden, nn.ReLU(), output)

criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=48, shuffle=True)
history = []
for epoch in range(16):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * xb.size(0)
    history.append(total / N_TRAIN)
print("train loss per epoch", [round(v, 3) for v in history])
with torch.no_grad():
    out = model(x_test)
    print("test loss %.4f acc %.4f" % (criterion(out, y_test), (out.argmax(1) == y_test).float().mean()))
