"""Fitted Q-iteration on recorded transitions of a swing cart; Q-function: scikit-learn MLPRegressor."""

import numpy as np
from sklearn.neural_network import MLPRegressor

ACTIONS = np.array([-1.0, 0.0, 1.0])
GAMMA, ROUNDS, SWEEPS, BATCH = 0.9, 12, 2, 100


def move(s, a):
    """position and speed in a valley; reward near the goal on the right"""
    pos, vel = s[:, 0], s[:, 1]
    vel = np.clip(0.95 * vel + 0.15 * ACTIONS[a] - 0.08 * np.sin(2.0 * pos), -1.0, 1.0)
    new = np.clip(pos + 0.3 * vel, -1.5, 1.5)
    done = (new > 1.2).astype(float)
    return np.stack([new, vel], 1), 2.0 * done - 0.1 * np.abs(ACTIONS[a]), done


rng = np.random.default_rng(314)
s = rng.uniform([-1.5, -1.0], [1.5, 1.0], size=(2000, 2))
a = rng.integers(0, 3, 2000)
s2, r, done = move(s, a)
probe = rng.uniform([-1.5, -1.0], [1.2, 1.0], size=(500, 2))


def features(s, a):
    return np.concatenate([s, np.eye(3)[a]], axis=1).astype(np.float32)


def best_value(net, s):
    q = [net.predict(features(s, np.full(len(s), k))) for k in range(3)]
    return np.max(q, axis=0)


q_net = MLPRegressor(
    hidden_layer_sizes=(40, 40),
    activation="tanh",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.05,
    momentum=0.9,
    nesterovs_momentum=False,
    alpha=0.01,
    batch_size=BATCH,
    shuffle=True,
    early_stopping=False,
    tol=0.0,
    n_iter_no_change=10**6,
    random_state=8,
)

x = features(s, a)
for k in range(ROUNDS):
    # the first round has Q = 0 as its target network
    future = np.zeros(len(s2)) if k == 0 else best_value(q_net, s2)
    target = (r + GAMMA * (1.0 - done) * future).astype(np.float32)
    for _ in range(SWEEPS):
        q_net.partial_fit(x, target)
    err = np.mean((q_net.predict(x) - target) ** 2)
    print(f"round {k + 1}: mean target {target.mean():.4f}  squared error {err:.5f}")

print(f"mean value on probe states {best_value(q_net, probe).mean():.4f}")
