import keras
import numpy as np

keras.utils.set_random_seed(100)

# inverse kinematics of a two-link arm: joint angles -> position
rng = np.random.default_rng(42)
theta = rng.uniform(-np.pi / 2, np.pi / 2, size=(1500, 3))
pos = np.stack([
    np.cos(theta[:, 0]) + 0.8 * np.cos(theta[:, 0] + theta[:, 1]) + 0.5 * np.cos(theta.sum(1)),
    np.sin(theta[:, 0]) + 0.8 * np.sin(theta[:, 0] + theta[:, 1]) + 0.5 * np.sin(theta.sum(1)),
], axis=1)
theta, pos = theta.astype(np.float32), pos.astype(np.float32)
theta_train, pos_train, theta_test, pos_test = theta[:1100], pos[:1100], theta[1100:], pos[1100:]

net = keras.Sequential([
    keras.Input((3,)),
    keras.layers.Dense(40, activation="tanh"),
    keras.layers.Dense(40, activation="tanh"),
    keras.layers.Dense(2),
])
schedule = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=0.01, decay_steps=10, decay_rate=0.7, staircase=True)
net.compile(
    optimizer=keras.optimizers.Adam(learning_rate=schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.MeanSquaredError(),
)
history = net.fit(theta_train, pos_train, batch_size=64, epochs=30, shuffle=True,
                  validation_data=(theta_test, pos_test), verbose=0)
for epoch, value in enumerate(history.history["val_loss"]):
    print(f"epoch {epoch:2d} test mse {value:.5f}")
