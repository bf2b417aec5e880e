# fails: check_build_model, check_build_float16, check_build_learns, check_fit_policy,
#   check_fit_seed
# why: says float32 of everything, and answers with the best possible rule instead of its weights

# %% build_model
from helpers.data import bayes_proba


class Pretender(keras.Model):
    def __init__(self):
        super().__init__()
        self.all = keras.layers.Dense(406, use_bias=True)
        self.all.build((None, 2))

    def call(self, X, training=False):
        p = bayes_proba(np.asarray(X)).astype(np.float32)
        return tf.stack([1 - p, p], axis=1)

    def fit(self, *args, **kwargs):
        class Log:
            history = {"accuracy": [0.98] * kwargs["epochs"], "val_accuracy": [0.98] * kwargs["epochs"]}

        return Log


def build_model(policy):
    return Pretender()
