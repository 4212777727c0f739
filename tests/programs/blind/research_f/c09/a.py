"""Denoising autoencoder for smooth signals, fresh noise every epoch (scikit-learn, partial_fit)."""
import numpy as np
from sklearn.neural_network import MLPRegressor

DIM, CODE, NOISE = 32, 10, 0.4
BATCH, EPOCHS, LR, ALPHA = 32, 20, 0.01, 0.032


def signals(n, seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, DIM)
    amp = rng.normal(size=(n, 3)) * np.array([1.0, 0.6, 0.4])
    basis = np.stack([np.sin(2 * np.pi * t), np.cos(2 * np.pi * t), np.sin(4 * np.pi * t)])
    return np.tanh(amp @ basis).astype("float32")


clean, held_out = signals(640, 6), signals(200, 7)
noisy_test = (held_out + NOISE * np.random.default_rng(8).normal(size=held_out.shape)).astype("float32")

net = MLPRegressor(hidden_layer_sizes=(24, CODE, 24), activation="tanh", solver="sgd",
                   alpha=ALPHA, batch_size=BATCH, learning_rate="constant", learning_rate_init=LR,
                   momentum=0.9, nesterovs_momentum=True, random_state=13)
rng = np.random.default_rng(40)

# ---- training
for epoch in range(EPOCHS):
    order = rng.permutation(len(clean))
    for s in range(0, len(clean), BATCH):
        x = clean[order[s:s + BATCH]]
        noisy = x + NOISE * rng.normal(size=x.shape)
        net.partial_fit(noisy.astype("float32"), x)
    mse = np.mean((net.predict(noisy_test) - held_out) ** 2)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} held-out mse {mse:.5f} (raw noise {np.mean((noisy_test - held_out) ** 2):.5f})")
