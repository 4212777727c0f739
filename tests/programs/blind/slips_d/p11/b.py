"""Predictive maintenance, two outputs from one LSTM: subclassed model, GradientTape."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(7)


def make_machines(n, length=16, seed=0):
    """Sensor histories; targets: kind of wear (0, 1, 2) and remaining life in weeks / 10."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    life = rng.uniform(0.2, 3.0, n)
    t = np.arange(length)
    wear = np.exp(-(life[:, None] + (length - 1 - t) * 0.12))
    vibration = 0.3 + wear * np.where(kind == 1, 2.0, 0.6)[:, None]
    heat = 0.2 + wear * np.where(kind == 2, 1.8, 0.5)[:, None] + 0.1 * np.sin(t / 2)
    current = 0.5 + 0.8 * wear
    x = np.stack([vibration, heat, current], axis=-1) + rng.normal(0, 0.07, (n, length, 3))
    return x.astype("float32"), kind.astype("int64"), life.astype("float32")[:, None]


x_train, kind_train, life_train = make_machines(1500, seed=50)
x_test, kind_test, life_test = make_machines(500, seed=51)
mean, std = x_train.mean((0, 1)), x_train.std((0, 1))
x_train, x_test = (x_train - mean) / std, (x_test - mean) / std

class MaintenanceModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.lstm = keras.layers.LSTM(20)
        self.dropout = keras.layers.Dropout(0.2)
        self.shared = keras.layers.Dense(
            16, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)
        )
        self.kind = keras.layers.Dense(3)
        self.life = keras.layers.Dense(1)

    def call(self, x, training=False):
        h = self.dropout(self.lstm(x), training=training)
        h = self.shared(h)
        return self.kind(h), self.life(h)


model = MaintenanceModel()
model(x_train[:1])
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
squared_error = keras.losses.MeanSquaredError()
optimizer = keras.optimizers.Adam(learning_rate=0.005, global_clipnorm=1.0)
optimizer.build(model.trainable_variables)

train_data = (
    tf.data.Dataset.from_tensor_slices((x_train, kind_train, life_train))
    .shuffle(buffer_size=len(x_train))
    .batch(50)
)


@tf.function
def train_step(x, kind, life):
    with tf.GradientTape() as tape:
        kind_logits, life_pred = model(x, training=True)
        loss = cross_entropy(kind, kind_logits) + 0.5 * squared_error(life, life_pred)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(10):
    losses = [float(train_step(*batch)) for batch in train_data]
    print(f"Epoch {epoch + 1}/10  loss: {np.mean(losses):.4f}")

logits, life_pred = model(x_test, training=False)
ce = float(cross_entropy(kind_test, logits))
acc = np.mean(np.argmax(logits, axis=1) == kind_test)
mse = float(squared_error(life_test, life_pred))
print(f"test: kind ce {ce:.4f}  accuracy {acc:.4f}  life mse {mse:.4f}")
