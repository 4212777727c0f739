"""Fitted Q-iteration on logged transitions of a small swing task (scikit-learn partial_fit)."""
import numpy as np
from sklearn.neural_network import MLPRegressor

GAMMA = 0.95
ROUNDS, EPOCHS_PER_ROUND, BATCH = 12, 3, 128
ACTIONS = np.array([-1.0, 0.0, 1.0])


def env_step(pos, vel, force):
    vel = np.clip(vel + 0.12 * force - 0.1 * np.sin(2.0 * pos), -1.0, 1.0)
    pos = np.clip(pos + 0.3 * vel, -2.0, 2.0)
    done = pos >= 1.9
    reward = np.where(done, 1.0, -0.02 * np.abs(force)) + 0.05 * pos
    return pos, vel, reward, done


def transitions(n=2000):
    rng = np.random.default_rng(12)
    pos, vel = rng.uniform(-2, 1.9, n), rng.uniform(-1, 1, n)
    act = rng.integers(0, 3, n)
    p2, v2, r, d = env_step(pos, vel, ACTIONS[act])
    s = np.stack([pos, vel], 1).astype(np.float32)
    s2 = np.stack([p2, v2], 1).astype(np.float32)
    return s, act, r.astype(np.float32), s2, d.astype(np.float32)


def features(s, act):
    return np.concatenate([s, np.eye(3, dtype=np.float32)[act]], axis=1)


s, act, r, s2, done = transitions()
x = features(s, act)
q_model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(40, 40),
    activation="tanh",
    solver="adam",
    alpha=0.0,
    batch_size=BATCH,
    learning_rate_init=3e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    random_state=31,
)


def all_q(states):
    return np.stack([q_model.predict(features(states, np.full(len(states), a))) for a in range(3)], axis=1)


for rnd in range(ROUNDS):
    y = r.copy() if rnd == 0 else (r + GAMMA * (1.0 - done) * all_q(s2).max(axis=1)).astype(np.float32)
    for _ in range(EPOCHS_PER_ROUND):
        q_model.partial_fit(x, y)                # one shuffled pass over the log
    print(f"round {rnd + 1:2d}  half squared error {q_model.loss_:.5f}  mean target {y.mean():.4f}")


def play(n=60, horizon=40):
    rng = np.random.default_rng(99)
    pos, vel = rng.uniform(-1.5, 0.0, n), np.zeros(n)
    total, alive, disc = np.zeros(n), np.ones(n), 1.0
    for _ in range(horizon):
        q = all_q(np.stack([pos, vel], 1).astype(np.float32))
        pos, vel, rew, d = env_step(pos, vel, ACTIONS[q.argmax(1)])
        total += disc * alive * rew
        alive *= 1.0 - d
        disc *= GAMMA
    return total.mean()


print(f"discounted return of the greedy policy {play():.4f}")
