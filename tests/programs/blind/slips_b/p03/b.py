"""Machine monitoring: one GRU, two heads (fault class and wear), own training loop."""
import numpy as np
import tensorflow as tf

STEPS, SENSORS, FAULTS = 20, 4, 3
BATCH_SIZE = 64
EPOCHS = 10


def simulate_machines(n=2000, seed=4):
    rng = np.random.default_rng(seed)
    fault = rng.integers(0, FAULTS, n)
    wear = rng.uniform(0, 1, n)
    t = np.arange(STEPS) / STEPS
    x = rng.normal(0, 0.5, (n, STEPS, SENSORS))
    x[:, :, 0] += wear[:, None] * 2 * t
    x[:, :, 1] += 0.8 * wear[:, None] ** 2
    x[:, :, 2] += np.where(fault[:, None] == 1, np.sin(2 * np.pi * 3 * t), 0)
    x[:, :, 3] += np.where(fault[:, None] == 2, 1.2 * (t > 0.5), 0)
    return x.astype(np.float32), fault.astype(np.int64), wear.astype(np.float32)[:, None]


class MachineMonitor(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.gru = tf.keras.layers.GRU(24)
        self.trunk = tf.keras.layers.Dense(
            32, activation="relu", kernel_regularizer=tf.keras.regularizers.L2(1e-3)
        )
        self.dropout = tf.keras.layers.Dropout(0.2)
        self.fault_head = tf.keras.layers.Dense(FAULTS)
        self.wear_head = tf.keras.layers.Dense(1)

    def call(self, x, training=False):
        h = self.trunk(self.gru(x, training=training))
        h = self.dropout(h, training=training)
        return self.fault_head(h), self.wear_head(h)


def total_loss(model, x, fault, wear):
    fault_logits, wear_pred = model(x, training=True)
    ce = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=fault, logits=fault_logits)
    )
    mse = tf.reduce_mean(tf.square(wear_pred - wear))
    return ce + 4.0 * mse


def make_train_step(model, optimizer):
    @tf.function(reduce_retracing=True)
    def train_step(x, fault, wear):
        with tf.GradientTape() as tape:
            loss = total_loss(model, x, fault, wear)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return train_step


def main():
    tf.keras.utils.set_random_seed(55)
    x, fault, wear = simulate_machines()
    train = tf.data.Dataset.from_tensor_slices((x[:1600], fault[:1600], wear[:1600]))
    train = train.shuffle(1600).batch(BATCH_SIZE)

    model = MachineMonitor()
    model(x[:1])  # builds the weights
    optimizer = tf.keras.optimizers.Adam(
        tf.keras.optimizers.schedules.ExponentialDecay(
            initial_learning_rate=5e-3, decay_steps=50, decay_rate=0.8, staircase=True
        )
    )
    train_step = make_train_step(model, optimizer)

    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for xb, fb, wb in train:
            total += float(train_step(xb, fb, wb)) * len(xb)
        print(f"epoch {epoch:2d}  total loss {total / 1600:.4f}")

    fault_logits, wear_pred = model(x[1600:], training=False)
    accuracy = (fault_logits.numpy().argmax(-1) == fault[1600:]).mean()
    rmse = np.sqrt(((wear_pred.numpy() - wear[1600:]) ** 2).mean())
    print(f"test fault accuracy {accuracy:.4f}, wear RMSE {rmse:.4f}")


if __name__ == "__main__":
    main()
