"""Compiling a model, and forgetting the programs that were compiled for it."""

import keras

from statewise.models.training.optimizer_variables import quick_variables
from statewise.models.training.steps import Steps


class Compilation(Steps):
    """What ``compile`` settles; to be named before a Keras model in a class's bases."""

    def compile(self, *args, **kwargs):
        """Choose optimizer, loss and metrics, as Keras's ``compile`` does."""
        super().compile(*args, **kwargs)
        self._programs = self._lane_programs = None

    def make_train_function(self, force=False):
        """Let ``train_step`` be compiled anew if forced, as in Keras; `fit` compiles on its own."""
        self._forget_programs(force)
        super().make_train_function(force)

    def make_test_function(self, force=False):
        """Let ``test_step`` be compiled anew if forced."""
        self._forget_programs(force)
        super().make_test_function(force)

    def make_predict_function(self, force=False):
        """Let ``predict_step`` be compiled anew if forced."""
        self._forget_programs(force)
        return super().make_predict_function(force)

    def _refuse_own(self, name, instead):
        """Refuse a subclass whose function of that name would be passed over."""
        if getattr(type(self), name) is not getattr(Compilation, name):
            raise ValueError(
                f"{type(self).__name__} has a {name} of its own, which is not used: the batches of "
                f"an epoch run in one compiled program. Write a {instead} of your own instead, or "
                "derive the model from keras.Model."
            )

    def _forget_programs(self, wanted):
        if wanted:
            self._programs = self._lane_programs = None

    def compile_from_config(self, config):
        """Compile a loaded model as it was compiled when it was saved."""
        if type(self).compile is not Compilation.compile:
            super().compile_from_config(config)  # a user's own compile: Keras says what to do
            return
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            with quick_variables(self.optimizer):
                self.optimizer.build(self.trainable_variables)
