import numpy as np
import tensorflow as tf
import keras
from keras import layers

SEED = 52
USERS, ITEMS, DIM = 300, 800, 12
BATCH = 64
EPOCHS = 5


def popularity(n, power):
    p = 1.0 / np.arange(1, n + 1) ** power
    return p / p.sum()


rng = np.random.default_rng(321)
n = 5000
user_f = rng.normal(size=(USERS, 4))
item_f = rng.normal(size=(ITEMS, 4))
item_b = rng.normal(size=ITEMS)
u = rng.choice(USERS, n, p=popularity(USERS, 0.5)).astype("int64")
i = rng.choice(ITEMS, n, p=popularity(ITEMS, 0.8)).astype("int64")
r = (0.5 * (user_f[u] * item_f[i]).sum(1) + item_b[i] + 0.2 * rng.normal(size=n)).astype("float32")
split = 4000

keras.utils.set_random_seed(SEED)
shuffler = np.random.default_rng(SEED)

user_in = keras.Input((), dtype="int64")
item_in = keras.Input((), dtype="int64")
user_table = layers.Embedding(USERS, DIM, embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05))
item_table = layers.Embedding(ITEMS, DIM, embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05))
h = layers.Concatenate()([user_table(user_in), item_table(item_in)])
h = layers.Dense(32, activation="tanh")(h)
out = layers.Dense(1)(h)
model = keras.Model([user_in, item_in], out)

optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
criterion = keras.losses.MeanSquaredError()


@tf.function(reduce_retracing=True)
def train_step(ub, ib, rb):
    with tf.GradientTape() as tape:
        loss = criterion(rb, model([ub, ib], training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    grads = [tf.convert_to_tensor(g) for g in grads]
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


target = r[:, None]
for epoch in range(EPOCHS):
    perm = shuffler.permutation(split)
    total = 0.0
    for s in range(0, split, BATCH):
        idx = perm[s:s + BATCH]
        loss = train_step(tf.constant(u[idx]), tf.constant(i[idx]), tf.constant(target[idx]))
        total += float(loss) * len(idx)
    print(f"epoch {epoch + 1}: mse {total / split:.4f}")

pred = model([u[split:], i[split:]], training=False)
print(f"test mse {float(criterion(target[split:], pred)):.4f}")
