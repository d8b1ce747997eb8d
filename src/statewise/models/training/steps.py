"""What Keras's pure steps are told of states and flags, and the programs made of them."""

import keras
from keras import tree
from keras.utils import unpack_x_y_sample_weight

from statewise._keras_compat import (
    all_layers,
    build_symbolically,
    compiled_loss,
    compute_output_spec,
    loss_tracker,
    set_keras_mask,
    structure_of,
    values_of,
)
from statewise._runtime.forks import check_not_forked
from statewise._runtime.processes import together
from statewise.models.losses.cross_entropy import use_scores
from statewise.models.structure import (
    KeptStates,
    LaneStates,
    check_step_by_step,
    has_one_input,
    is_stateful,
    recurrent_layers,
    stateful_layers,
)
from statewise.models.training.agreement import check_alike
from statewise.models.training.batches import Batches
from statewise.models.training.call_metrics import CallMetrics
from statewise.models.training.carried import Carried
from statewise.models.training.flags import current_flags
from statewise.models.training.lane_batches import LaneBatches
from statewise.models.training.optimizer_variables import quick_variables
from statewise.models.training.programs import Programs
from statewise.models.training.shares import current_shares, whole
from statewise.models.training.window_pieces import WindowPieces
from statewise.sequences import WindowBatches


class Steps(CallMetrics):
    """Keras's pure functions, extended; to be named before a Keras model in a class's bases."""

    def compute_loss_and_updates(
        self, trainable_variables, non_trainable_variables, metrics_variables, *args, **kwargs
    ):
        """Keras's pure loss function, with the states of the recurrent layers carried through."""
        carried = non_trainable_variables
        if not isinstance(carried, Carried):
            return super().compute_loss_and_updates(
                trainable_variables, carried, metrics_variables, *args, **kwargs
            )
        with carried.carry() as carry:
            loss, (unscaled_loss, outputs, variables, metrics_variables) = (
                super().compute_loss_and_updates(
                    trainable_variables, carried.variables, metrics_variables, *args, **kwargs
                )
            )
        carried = carried.after(variables, carry)
        return loss, (unscaled_loss, outputs, carried, metrics_variables)

    def stateless_call(self, *args, **kwargs):
        """Keras's pure call; steps of a lane that don't count are masked in the outputs."""
        outputs, *rest = super().stateless_call(*args, **kwargs)
        _mask_outputs(outputs)
        return outputs, *rest

    def _update_metrics_variables(
        self, metrics_variables, unscaled_loss, x, y, y_pred, sample_weight
    ):
        valid = current_flags().valid
        if valid is None:
            return super()._update_metrics_variables(
                metrics_variables, unscaled_loss, x, y, y_pred, sample_weight
            )
        # As Keras does it, but a chunk's loss counts by its valid steps, not by its rows.
        _mask_outputs(y_pred)
        pairs = list(zip(self.metrics_variables, metrics_variables, strict=True))
        with keras.StatelessScope(state_mapping=pairs) as scope:
            loss_tracker(self).update_state(unscaled_loss, sample_weight=valid.sum())
            logs = self.compute_metrics(x, y, y_pred, sample_weight)
        return logs, [scope.get_current_value(variable) for variable, _ in pairs]

    @together
    def _prepare(
        self, batches: Batches | LaneBatches | WindowPieces, *, targets: bool = True
    ) -> Programs:
        """Build what isn't built yet, and return the compiled programs for these batches."""
        check_not_forked()
        if isinstance(batches, LaneBatches):
            return self._prepare_lanes(batches, targets)
        if targets:
            if isinstance(batches, WindowPieces):
                batches.fit_to(self._output_shape(batches.windows))
            with quick_variables(self.optimizer):
                build_symbolically(self, iterator=batches.examples())
            use_scores(compiled_loss(self))
        elif not all(layer.built for layer in all_layers(self)):
            _, _, source = next(batches.examples())
            x, _, _ = unpack_x_y_sample_weight(next(source))
            with keras.StatelessScope():
                self(x)
        batches.begin_again()
        if not _still_fit(getattr(self, "_programs", None), self):
            self._programs = Programs(self, KeptStates(stateful_layers(self)))
        sizes = batches.sizes()
        if self._programs.layers and len(sizes) > 1:
            size, rest = max(sizes), min(sizes)
            raise ValueError(
                "A stateful model carries one state for each row of the batch, so all batches must "
                f"have the same size; batch_size={size} leaves {rest} samples over. Choose a "
                f"batch_size that divides the number of samples, or leave the last {rest} out."
            )
        return self._checked(self._programs)

    def _output_shape(self, windows: WindowBatches) -> tuple:
        """Return the shape of the model's one array of outputs for a batch of windows."""
        shape = (windows.batch, windows.lookback, windows.features)
        outputs = tree.flatten(compute_output_spec(self, keras.KerasTensor(shape)))
        if len(outputs) != 1:
            raise ValueError(
                f"Windows that are read in batches have one array of targets, but the model gives "
                f"{len(outputs)} outputs. Train on arrays, or on a generator of your own."
            )
        return tuple(outputs[0].shape)

    def _rows_of_a_batch(self, x, batch_size: int | None, steps: int | None) -> int | None:
        """Return the batch size to take where none is given; None for Keras's 32.

        The rows of a stateful model's batch are sequences: cut into batches of 32, those of the
        second would go on from the state of those of the first, which are others.
        """
        if batch_size is not None or steps is not None:
            return batch_size
        shapes = [getattr(a, "shape", None) for a in keras.tree.flatten(x)]
        if not is_stateful(self) or not shapes or not shapes[0]:
            return batch_size
        fixed = self.input_shape[0] if has_one_input(self) else None
        kept = next(layer.memory.batch_size for layer in stateful_layers(self))
        rows = shapes[0][0]
        # What the kept rows can't divide is given whole, so that the layer says what it carries.
        return fixed or (kept if kept and rows % kept == 0 else rows)

    def _prepare_lanes(self, batches: LaneBatches, targets: bool) -> Programs:
        count = len(getattr(self, "inputs", None) or [None])
        if count != 1:
            raise ValueError(
                f"Lanes hold one array of inputs, but the model takes {count}. Put the features "
                "together, and let the model take them apart."
            )
        example = batches.example()
        if targets:
            if len(example) == 1:
                raise ValueError(
                    'The lanes have no targets: make them with lanes(..., targets="next"), or '
                    "give the targets."
                )
            # Before the loss sees them, which would only say that the shapes don't fit.
            x = keras.KerasTensor(example[0].shape, example[0].dtype)
            for output in tree.flatten(compute_output_spec(self, x)):
                _check_every_step(output.shape, x.shape[:2])
            with quick_variables(self.optimizer):
                build_symbolically(self, data_batch=(*example, None))
            use_scores(compiled_loss(self))
        elif not all(layer.built for layer in all_layers(self)):
            with keras.StatelessScope():
                self(example[0])
        check_step_by_step(self)
        if not _still_fit(getattr(self, "_lane_programs", None), self):
            self._lane_programs = Programs(self, LaneStates(recurrent_layers(self)))
        return self._checked(self._lane_programs)

    def _checked(self, programs: Programs) -> Programs:
        if programs.layers and programs.own_train_step:
            raise ValueError(
                f"{type(self).__name__} has a train_step of its own, which would not carry the "
                "state of its recurrent layers from batch to batch. Call the layers with "
                "initial_state=... and return_state=True instead, or keep Keras's train_step."
            )
        if programs.shares is not None:
            optimizer = [] if self.optimizer is None else self.optimizer.variables
            programs.shares.spread([*self.variables, *optimizer, *self.metrics_variables])
            values = values_of([*self.variables, *optimizer])
            check_alike(programs.shares, "the weights", lambda: [*map(whole, values)])
        return programs


def _still_fit(programs: Programs | None, model) -> bool:
    """Whether there are programs, compiled for what the model is made of by now."""
    return (
        programs is not None
        and programs.structure == structure_of(model)
        and programs.shares is current_shares()
    )


def _mask_outputs(outputs) -> None:
    valid = current_flags().valid
    if valid is None:
        return
    for output in tree.flatten(outputs):
        _check_every_step(output.shape, valid.shape)
        set_keras_mask(output, valid)


def _check_every_step(shape: tuple, steps: tuple) -> None:
    """Refuse outputs that aren't one for each of ``steps``, (batch, time)."""
    if len(shape) < 3 or tuple(shape[:2]) != tuple(steps):
        raise ValueError(
            "Lanes need a model that gives an output for each time step, (batch, time, ...); "
            f"this one gives the shape {tuple(shape)} for {tuple(steps)} steps. "
            "Set return_sequences=True in every recurrent layer."
        )
