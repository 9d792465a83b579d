//! The phases, in the order in which a run goes through them. This file is read by `engine-macros` too, which knows the
//! methods of a `#[phases]` block by it.

/// Hands the phases to a macro: variant, method and group of each.
macro_rules! each_phase {
    ($with:ident) => {
        $with! {
            /// Once, before anything else; the run's folder exists.
            BeforeRun, before_run, Run;
            /// A checkpoint was read, before the loop that continues from it.
            AfterLoadCheckpoint, after_load_checkpoint, Checkpoint;
            /// Once, before the first epoch.
            BeforeTrain, before_train, Train;
            /// Before the first batch of a pass of the train loader; `by_iter`: once.
            BeforeTrainEpoch, before_train_epoch, Epoch;
            /// Before the first batch of an update.
            BeforeTrainIter, before_train_iter, Iter;
            /// A batch is on the device.
            BeforeTrainBatch, before_train_batch, Iter;
            /// `train_step` has returned; the output is there.
            AfterForward, after_forward, Iter;
            /// Gradients of this batch are added.
            AfterBackward, after_backward, Iter;
            /// The batch is done; the output no longer holds its graph.
            AfterTrainBatch, after_train_batch, Iter;
            /// Gradients are final: averaged, not yet clipped.
            BeforeOptimizerStep, before_optimizer_step, Iter;
            /// The update is done (or was skipped).
            AfterOptimizerStep, after_optimizer_step, Iter;
            /// The iter is counted.
            AfterTrainIter, after_train_iter, Iter;
            /// The pass is over; it is counted unless the training stopped within it.
            AfterTrainEpoch, after_train_epoch, Epoch;
            /// Before the first val loader.
            BeforeVal, before_val, Val;
            /// Before the first batch of one val loader.
            BeforeValEpoch, before_val_epoch, Val;
            /// Before a val batch.
            BeforeValIter, before_val_iter, Val;
            /// `val_step` has returned; the output is there.
            AfterValIter, after_val_iter, Val;
            /// The metrics of one val loader are final.
            AfterValEpoch, after_val_epoch, Val;
            /// The metrics of all val loaders are final.
            AfterVal, after_val, Val;
            /// Before a checkpoint's content is gathered. No other phase is its end.
            BeforeSaveCheckpoint, before_save_checkpoint, Checkpoint;
            /// A checkpoint is on disk under its final name: once for each name. Not when writing it has failed.
            AfterSaveCheckpoint, after_save_checkpoint, Checkpoint;
            /// Once, after the last epoch, also when the training stopped early.
            AfterTrain, after_train, Train;
            /// As `before_val`, for `test`.
            BeforeTest, before_test, Test;
            /// As `before_val_epoch`, for `test`.
            BeforeTestEpoch, before_test_epoch, Test;
            /// As `before_val_iter`, for `test`.
            BeforeTestIter, before_test_iter, Test;
            /// As `after_val_iter`, for `test`.
            AfterTestIter, after_test_iter, Test;
            /// As `after_val_epoch`, for `test`.
            AfterTestEpoch, after_test_epoch, Test;
            /// As `after_val`, for `test`.
            AfterTest, after_test, Test;
            /// Before the first batch of the predict loader.
            BeforePredict, before_predict, Predict;
            /// Before a batch of the predict loader.
            BeforePredictIter, before_predict_iter, Predict;
            /// `predict_step` has returned.
            AfterPredictIter, after_predict_iter, Predict;
            /// The predictions are written.
            AfterPredict, after_predict, Predict;
            /// An error or a stop signal is on its way out; a hook can look, not hide it.
            OnException, on_exception, Run;
            /// Always, and last.
            AfterRun, after_run, Run;
        }
    };
}
