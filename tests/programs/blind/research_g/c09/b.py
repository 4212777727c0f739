"""Shared query-key attention over small sets, a decoder tied to the embedding, and two losses
weighed by learned uncertainties. Keras layer with a GradientTape loop."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(14)

N, TOKENS, FEATS, DIM, HEADS, CLASSES = 1200, 8, 6, 24, 3, 3
BATCH, EPOCHS, LR, ACC0, EPS = 80, 25, 0.03, 0.1, 1e-10

rng = np.random.default_rng(2024)
basis = rng.standard_normal((CLASSES, 3, FEATS))
label = rng.integers(0, CLASSES, N + 300)
coef = rng.standard_normal((N + 300, TOKENS, 3))
sets = np.einsum("ntk,nkf->ntf", coef, basis[label]) * 0.6 + 0.3 * rng.standard_normal((N + 300, TOKENS, FEATS))
sets = sets.astype(np.float32)
x_train, y_train, x_test, y_test = sets[:N], label[:N], sets[N:], label[N:]


class TiedAttention(keras.Model):
    def __init__(self):
        super().__init__()

        def weight(shape, name, init="zeros"):
            return self.add_weight(shape=shape, initializer=init, name=name)

        self.embed = weight((FEATS, DIM), "embed", "glorot_uniform")     # also the decoder, transposed
        self.embed_bias = weight((DIM,), "embed_bias")
        self.qk = weight((DIM, DIM), "qk", "glorot_uniform")             # queries and keys share it
        self.value = weight((DIM, DIM), "value", "glorot_uniform")
        self.merge = weight((DIM, DIM), "merge", "glorot_uniform")
        self.decode_bias = weight((FEATS,), "decode_bias")
        self.log_var = weight((2,), "log_var")
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.classify = keras.layers.Dense(CLASSES, kernel_initializer="glorot_uniform")

    def heads(self, h, kernel):
        out = tf.einsum("btd,de->bte", h, kernel)
        return tf.reshape(out, (-1, TOKENS, HEADS, DIM // HEADS))

    def call(self, x):
        h = tf.nn.gelu(tf.einsum("btf,fd->btd", x, self.embed) + self.embed_bias, approximate=True)
        q, v = self.heads(h, self.qk), self.heads(h, self.value)
        score = tf.einsum("bihd,bjhd->bhij", q, q) * (DIM // HEADS) ** -0.5
        mixed = tf.einsum("bhij,bjhd->bihd", tf.nn.softmax(score, axis=-1), v)
        mixed = tf.reshape(mixed, (-1, TOKENS, DIM))
        h = self.norm(h + tf.einsum("btd,de->bte", mixed, self.merge))
        rebuilt = tf.einsum("btd,fd->btf", h, self.embed) + self.decode_bias
        return self.classify(tf.reduce_mean(h, axis=1)), rebuilt


def objective(model, x, y, training):
    logits, rebuilt = model(x, training=training)
    ce = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    mse = tf.reduce_mean(tf.square(rebuilt - x))
    s = tf.convert_to_tensor(model.log_var)
    return tf.exp(-s[0]) * ce + 0.5 * s[0] + 0.5 * tf.exp(-s[1]) * mse + 0.5 * s[1], ce, mse


model = TiedAttention()
model(x_test[:1])                      # build
opt = keras.optimizers.Adagrad(learning_rate=LR, initial_accumulator_value=ACC0, epsilon=EPS)
opt.build(model.trainable_variables)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss, _, _ = objective(model, x, y, training=True)
    variables = model.trainable_variables
    opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(N, reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    total = 0.0
    for x, y in data:
        total += float(train_step(x, y)) * len(x)
    print(f"epoch {epoch + 1:2d}  objective {total / N:.4f}")

loss, ce, mse = objective(model, x_test, y_test, training=False)
acc = (model(x_test, training=False)[0].numpy().argmax(1) == y_test).mean()
print(f"test objective {float(loss):.4f}  ce {float(ce):.4f}  mse {float(mse):.4f}  accuracy {acc:.4f}  "
      f"log variances {model.log_var.numpy().tolist()}")
