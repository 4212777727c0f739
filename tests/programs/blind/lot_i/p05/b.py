import numpy as np
import tensorflow as tf

EPOCHS = 40
BATCH = 50


def make_data():
    rng = np.random.default_rng(31)
    X = rng.normal(size=(1300, 20)).astype("float32")
    score = X[:, 0] * X[:, 1] + X[:, 2] - 0.8 * X[:, 3] + 0.5 * X[:, 4]
    y = (score + 0.6 * rng.normal(size=1300) > 0).astype("int64")
    return X[:300], y[:300], X[300:], y[300:]


X_train, y_train, X_test, y_test = make_data()
tf.keras.utils.set_random_seed(20)

model = tf.keras.Sequential([
    tf.keras.layers.Input((20,)),
    tf.keras.layers.Dense(96, activation="relu"),
    tf.keras.layers.Dropout(0.5),
    tf.keras.layers.Dense(96, activation="relu"),
    tf.keras.layers.Dropout(0.5),
    tf.keras.layers.Dense(2),
])
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.build(model.trainable_variables)
train_ds = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(300).batch(BATCH)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb)
        loss = criterion(yb, logits)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in train_ds:
        total += float(train_step(xb, yb)) * int(xb.shape[0])
    if (epoch + 1) % 5 == 0:
        out = model(X_test, training=False)
        test_loss = float(criterion(y_test, out))
        acc = float(np.mean(np.argmax(out, axis=1) == y_test))
        print(f"epoch {epoch + 1:2d} train {total / len(X_train):.4f} test {test_loss:.4f} acc {acc:.4f}")
