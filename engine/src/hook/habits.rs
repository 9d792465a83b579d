//! Calls that people write out of habit, as PyTorch Lightning has them. Each is a hidden method of [`Steps`](super::Steps) that
//! nothing can call: it needs one of these traits, which no type has, and whose message says what to write.

/// Needed by `self.log(…)`.
#[diagnostic::on_unimplemented(
    message = "a trainer has no `log`; a step logs through its context",
    label = "write `cx.log(\"name\", value)`"
)]
pub trait LogsItself {}

/// Needed by `self.manual_backward(…)`.
#[diagnostic::on_unimplemented(
    message = "a trainer has no `manual_backward`; the engine calls `backward` on the loss that a step returns",
    label = "leave this line out; for several losses write `cx.backward(&loss)?`"
)]
pub trait CallsBackward {}

/// Needed by `self.save_hyperparameters()`.
#[diagnostic::on_unimplemented(
    message = "a trainer has no `save_hyperparameters`; each run keeps its experiment in `experiment.ron`",
    label = "leave this line out"
)]
pub trait SavesSettings {}
