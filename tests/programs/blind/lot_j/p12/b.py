import keras
import numpy as np
import tensorflow as tf

V, N_TRAIN, N_TEST = 300, 1200, 400


def make_bags():
    rng = np.random.default_rng(1234)
    n = N_TRAIN + N_TEST
    freq = 1.0 / np.arange(1, V + 1) ** 0.3
    freq /= freq.sum()
    x = np.stack([np.bincount(rng.choice(V, size=8, p=freq), minlength=V) for _ in range(n)])
    score = rng.normal(size=(V, 3))
    y = (np.log1p(x) @ score + 0.3 * rng.normal(size=(n, 3))).argmax(1)
    return np.log1p(x).astype(np.float32), y.astype(np.int64)


x, y = make_bags()
xv, yv = x[N_TRAIN:], y[N_TRAIN:]

keras.utils.set_random_seed(19)
model = keras.Sequential([
    keras.Input((V,)),
    keras.layers.Dense(32, activation="tanh"),
    keras.layers.Dense(3),
])
opt = keras.optimizers.Adamax(learning_rate=0.01, beta_1=0.9, beta_2=0.9, epsilon=0.01)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
ds = tf.data.Dataset.from_tensor_slices((x[:N_TRAIN], y[:N_TRAIN])).shuffle(N_TRAIN).batch(40)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_weights)
    opt.apply_gradients(zip(grads, model.trainable_weights))
    return loss


for epoch in range(10):
    mean = keras.metrics.Mean()
    for xb, yb in ds:
        mean.update_state(train_step(xb, yb), sample_weight=len(xb))
    out = model(xv, training=False)
    acc = float(np.mean(out.numpy().argmax(1) == yv))
    print(f"epoch {epoch + 1:2d}  loss {float(mean.result()):.4f}  val {float(loss_fn(yv, out)):.4f}  acc {acc:.3f}")
