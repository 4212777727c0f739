import numpy as np
from sklearn.neural_network import MLPRegressor

WIN, SIGMA, BATCH, EPOCHS, LR = 12, 0.4, 50, 20, 0.005


def windows(n, seed):
    rng = np.random.default_rng(seed)
    f, ph, amp = rng.uniform(0.5, 1.5, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1)), rng.uniform(0.5, 1.5, (n, 1))
    return (amp * np.sin(2 * np.pi * f * np.arange(WIN) / WIN + ph)).astype(np.float32)


train, test = windows(1000, 1), windows(400, 2)
test_noisy = test + SIGMA * np.random.default_rng(3).standard_normal(test.shape).astype(np.float32)

net = MLPRegressor(hidden_layer_sizes=(40,), activation="tanh", solver="sgd", alpha=0.0, batch_size=BATCH,
                   learning_rate="constant", learning_rate_init=LR, momentum=0.9, nesterovs_momentum=True,
                   tol=0.0, n_iter_no_change=10_000, random_state=6)
rng = np.random.default_rng(6)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(train))
    losses = []
    for i in range(0, len(train), BATCH):
        clean = train[perm[i:i + BATCH]]
        noisy = clean + SIGMA * rng.standard_normal(clean.shape).astype(np.float32)
        net.partial_fit(noisy, clean)
        losses.append(net.loss_)
    err = np.mean((net.predict(test_noisy) - test) ** 2) / 2
    print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.5f}  test {err:.5f}")
