"""Sequence tagging with a bidirectional LSTM, Keras (masked places count neither in the
recurrence nor in the loss)."""
import keras
import numpy as np
from keras import layers, ops

VOCAB, TAGS, MAXLEN = 20, 4, 12
N_TRAIN, N_TEST, BATCH, EPOCHS = 2400, 600, 60, 5


def make_data():
    """Tag 3: between an opening (0) and a closing token (1); tag 1: the next token is 2, 3 or 4;
    tag 2: the previous token is 5, 6 or 7; tag 0: else.  Padded at the end."""
    rng = np.random.RandomState(61)
    n = N_TRAIN + N_TEST
    length = rng.randint(5, MAXLEN + 1, size=n)
    tok = rng.randint(0, VOCAB, size=(n, MAXLEN))
    x = np.zeros((n, MAXLEN, VOCAB), dtype="float32")
    tag = np.zeros((n, MAXLEN), dtype="int64")
    for i in range(n):
        s = tok[i, :length[i]]
        x[i, np.arange(len(s)), s] = 1.0
        for t in range(len(s)):
            if 0 in s[:t] and 1 in s[t + 1:]:
                tag[i, t] = 3
            elif t + 1 < len(s) and s[t + 1] in (2, 3, 4):
                tag[i, t] = 1
            elif t > 0 and s[t - 1] in (5, 6, 7):
                tag[i, t] = 2
    a, b = slice(0, N_TRAIN), slice(N_TRAIN, n)
    return (x[a], tag[a], length[a]), (x[b], tag[b], length[b])


class TokenLoss(keras.losses.Loss):
    """Cross-entropy averaged over the real tokens of the batch; tag -1 is padding."""

    def __init__(self):
        super().__init__(reduction=None, name="token_loss")

    def __call__(self, y_true, y_pred, sample_weight=None):
        return self.call(y_true, y_pred)

    def call(self, y_true, y_pred):
        real = ops.cast(ops.not_equal(y_true, -1), "float32")
        ce = keras.losses.sparse_categorical_crossentropy(
            ops.maximum(y_true, 0), y_pred, from_logits=True)
        return ops.sum(ce * real) / ops.sum(real)


def build(width=16, units=20):
    inp = keras.Input((MAXLEN, VOCAB))
    h = layers.Masking(mask_value=0.0)(inp)
    h = layers.Dense(width, use_bias=False, kernel_initializer="glorot_uniform", name="embed")(h)
    lstm = layers.LSTM(units, return_sequences=True, kernel_initializer="glorot_uniform",
                       recurrent_initializer="orthogonal", bias_initializer="zeros",
                       unit_forget_bias=True)
    h = layers.Bidirectional(lstm, merge_mode="concat", name="bilstm")(h)
    out = layers.Dense(TAGS, kernel_initializer="glorot_uniform", name="head")(h)
    return keras.Model(inp, out)


def compile_model(model):
    model.compile(optimizer=keras.optimizers.Adam(5e-3, beta_1=0.9, beta_2=0.99, epsilon=1e-12),
                  loss=TokenLoss())
    return model


def padded_tags(tag, length):
    return np.where(np.arange(MAXLEN)[None, :] < length[:, None], tag, -1)


def main():
    keras.utils.set_random_seed(21)
    (x, tag, length), (tx, tt, tl) = make_data()
    y, ty = padded_tags(tag, length), padded_tags(tt, tl)
    model = compile_model(build())
    print("trainable", model.count_params())

    def report(epoch, logs):
        logits = model.predict(tx, batch_size=N_TEST, verbose=0)
        loss = float(TokenLoss()(ops.convert_to_tensor(ty), ops.convert_to_tensor(logits)))
        acc = (logits.argmax(-1) == ty)[ty >= 0].mean()
        print(f"epoch {epoch + 1} loss {logs['loss']:.4f} test {loss:.4f} token accuracy {acc:.4f}")

    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0,
              callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)])


if __name__ == "__main__":
    main()
