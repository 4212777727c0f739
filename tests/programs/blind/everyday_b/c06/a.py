"""Denoising autoencoder on the 8x8 digits, custom TensorFlow loop."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.keras.utils.set_random_seed(40)

clean = (load_digits().data / 16.0).astype("float32")
noise_rng = np.random.default_rng(12)
order = noise_rng.permutation(len(clean))
clean = clean[order]
noisy = np.clip(clean + noise_rng.normal(0.0, 0.25, clean.shape), 0.0, 1.0).astype("float32")
x_train, t_train = noisy[:1440], clean[:1440]
x_test, t_test = noisy[1440:], clean[1440:]

BATCH, EPOCHS = 48, 15

encoder = tf.keras.Sequential(
    [
        tf.keras.Input((64,)),
        tf.keras.layers.Dense(48, activation="relu"),
        tf.keras.layers.Dense(12),
    ]
)
decoder = tf.keras.Sequential(
    [
        tf.keras.Input((12,)),
        tf.keras.layers.Dense(48, activation="relu"),
        tf.keras.layers.Dense(64),
    ]
)
variables = encoder.trainable_variables + decoder.trainable_variables
optimizer = tf.keras.optimizers.RMSprop(learning_rate=1.5e-3, rho=0.9, momentum=0.0, epsilon=1e-30)


def reconstruction_loss(noisy_x, target, training):
    logits = decoder(encoder(noisy_x, training=training), training=training)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits))


@tf.function
def train_step(noisy_x, target):
    with tf.GradientTape() as tape:
        loss = reconstruction_loss(noisy_x, target, training=True)
    grads = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(grads, variables))
    return loss


dataset = (
    tf.data.Dataset.from_tensor_slices((x_train, t_train))
    .shuffle(len(x_train), reshuffle_each_iteration=True)
    .batch(BATCH)
)

# ---- training
for epoch in range(EPOCHS):
    mean_loss = tf.keras.metrics.Mean()
    for xb, tb in dataset:
        mean_loss.update_state(train_step(xb, tb), sample_weight=len(xb))
    print(f"epoch {epoch + 1}: bce {float(mean_loss.result()):.5f}")

print(f"test bce {float(reconstruction_loss(x_test, t_test, False)):.5f}")
recon = tf.sigmoid(decoder(encoder(x_test)))
print(f"test mse {float(tf.reduce_mean((recon - t_test) ** 2)):.5f}, noisy input {np.mean((x_test - t_test) ** 2):.5f}")
