import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(50)

VOCAB, TAGS, MAXLEN, PAD_TAG = 40, 5, 20, -1


def corpus(n, seed):
    rng = np.random.default_rng(seed)
    words = np.zeros((n, MAXLEN), dtype="int32")
    tags = np.full((n, MAXLEN), PAD_TAG, dtype="int32")
    for i in range(n):
        length = rng.integers(3, 10) if rng.random() < 0.85 else rng.integers(10, MAXLEN + 1)
        w = rng.integers(1, VOCAB, size=length)
        words[i, :length] = w
        prev = np.concatenate([[0], w[:-1]])
        tags[i, :length] = (w % 3 + (prev > VOCAB // 2) * 2) % TAGS
    return words, tags


w_train, t_train = corpus(600, 1)
w_test, t_test = corpus(200, 2)

inp = keras.Input((MAXLEN,), dtype="int32")
h = keras.layers.Embedding(VOCAB, 16, embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5))(inp)
h = keras.layers.ZeroPadding1D((1, 0))(h)
h = keras.layers.Conv1D(48, 2, activation="relu")(h)
model = keras.Model(inp, keras.layers.Dense(TAGS)(h))
opt = keras.optimizers.SGD(learning_rate=0.3)
batches = tf.data.Dataset.from_tensor_slices((w_train, t_train)).shuffle(600).batch(30)


@tf.function
def step(words, tags):
    with tf.GradientTape() as tape:
        logits = model(words, training=True)
        per_token = keras.losses.sparse_categorical_crossentropy(
            tags, logits, from_logits=True, ignore_class=PAD_TAG)
        loss = tf.reduce_mean(per_token)
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# train
for epoch in range(20):
    for words, tags in batches:
        step(words, tags)

logits = model(w_test, training=False).numpy()
keep = t_test != PAD_TAG
logp = tf.nn.log_softmax(logits[keep]).numpy()
print("test nll per word %.4f" % -logp[np.arange(keep.sum()), t_test[keep]].mean())
print("test tag accuracy %.4f" % (logp.argmax(-1) == t_test[keep]).mean())
