"""Variable-length sequences, one attention block from Keras layers."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import math
import numpy as np
import keras
from keras import layers, ops

T, F, E, H, K = 12, 5, 16, 4, 3
EPOCHS, BATCH = 12, 32
PEAK_LR, WARMUP, DECAY = 4e-3, 60, 0.01


def make_data(n, rng):
    length = rng.integers(5, T + 1, size=n)
    mask = (np.arange(T)[None, :] < length[:, None])
    x = rng.normal(size=(n, T, F)).astype("float32")
    # the class is told by the feature vector of the step with the largest marker (feature 0)
    marker = np.where(mask, x[:, :, 0], -np.inf)
    at = marker.argmax(1)
    y = x[np.arange(n), at, 1:1 + K].argmax(1).astype("int64")
    x[np.arange(n), at, 0] += 2.0
    x *= mask[:, :, None]
    return x.astype("float32"), mask, y


def positions():
    pos = np.arange(T)[:, None]
    freq = np.exp(-math.log(10000.0) * np.arange(0, E, 2) / E)[None, :]
    pe = np.zeros((T, E), "float32")
    pe[:, 0::2] = np.sin(pos * freq)
    pe[:, 1::2] = np.cos(pos * freq)
    return pe


rng = np.random.default_rng(5)
x_train, m_train, y_train = make_data(1280, rng)
x_test, m_test, y_test = make_data(500, rng)

keras.utils.set_random_seed(1)


def dense(units, activation=None):
    return layers.Dense(units, activation=activation, kernel_initializer="glorot_uniform",
                        bias_initializer="zeros")


class MaskedMean(layers.Layer):
    def call(self, h, mask_in):
        keep = ops.expand_dims(ops.cast(mask_in, h.dtype), -1)
        return ops.sum(h * keep, axis=1) / ops.sum(keep, axis=1)


class AddPositions(layers.Layer):
    def call(self, h):
        return h + ops.convert_to_tensor(positions())


x_in = keras.Input((T, F), name="x")
m_in = keras.Input((T,), dtype="bool", name="m")
h = AddPositions()(dense(E)(x_in))
key_mask = layers.Reshape((1, T))(m_in)
att = layers.MultiHeadAttention(num_heads=H, key_dim=E // H, use_bias=False, dropout=0.0,
                                kernel_initializer="glorot_uniform")
h = layers.LayerNormalization(epsilon=1e-5)(h + att(h, h, attention_mask=key_mask))
ff = dense(E)(dense(2 * E, "relu")(h))
h = layers.LayerNormalization(epsilon=1e-5)(h + ff)
logits_out = dense(K)(MaskedMean()(h, m_in))
model = keras.Model([x_in, m_in], logits_out)


@keras.saving.register_keras_serializable()
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        t = ops.cast(step, "float32") + 1.0
        return PEAK_LR * ops.minimum(1.0, t / WARMUP)

    def get_config(self):
        return {}


model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=Warmup(), beta_1=0.9, beta_2=0.999,
                                     epsilon=1e-12, weight_decay=DECAY),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
print("weights:", model.count_params())

# training
history = model.fit([x_train, m_train], y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
                    verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d}  train loss {value:.4f}")

test_loss = model.evaluate([x_test, m_test], y_test, batch_size=500, verbose=0)
logits = model.predict([x_test, m_test], batch_size=500, verbose=0)
acc = float((logits.argmax(1) == y_test).mean())
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
