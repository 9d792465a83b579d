//! `MeanTeacher`: a model that follows another one slowly.

use crate::base::{Error, Flag, Result};
use crate::model::ModelEntry;
use crate::native::{TensorList, foreach_copy_, foreach_lerp_, foreach_lerp_by_};
use crate::run::{Cadence, Context};
use engine_macros::{hook, phases};

/// Makes one model of the trainer the moving average of another one:
/// `teacher = decay · teacher + (1 − decay) · student` after every update of the student (Tarvainen and Valpola, 2017).
/// The steps can use both.
///
/// The teacher is frozen. It starts with the student's weights unless it was loaded from a checkpoint, and is saved
/// like any other model. Buffers, such as the statistics of batch norm, are copied. Both models have the same
/// variables. In contrast to [`Ema`](crate::hooks::Ema), evaluations use whichever model the steps use.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct MeanTeacher {
    /// The trainer's field with the model that is trained.
    #[config(default = "student")]
    student: String,
    /// The trainer's field with the model that follows.
    #[config(default = "teacher")]
    teacher: String,
    /// The share of the teacher that stays.
    #[config(default = 0.999, range = 0.0..=1.0, scheduled)]
    decay: f64,
    /// In the first updates the share is `min(decay, 1 − 1 / (n + 1))` after `n` updates, as in the authors' program:
    /// the teacher forgets the first weights soon.
    #[config(default = true)]
    ramp: bool,
    /// Updates of the student from one averaging to the next.
    #[config(default = 1, range = 1..)]
    interval: u64,
    /// The averagings done.
    #[state]
    averagings: u64,
    #[transient]
    lists: Option<Lists>,
}

/// The tensors of both models, as libtorch's multi-tensor operators want them: made once.
#[derive(Debug)]
struct Lists {
    teacher: TensorList,
    student: TensorList,
    copied: TensorList,
    to_copy: TensorList,
}

#[phases]
impl MeanTeacher {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if self.student == self.teacher {
            return Err(Error::msg(format!(
                "`student` and `teacher` are both `{}`; the teacher is a model of its own, a second `#[model]` field",
                self.student
            )));
        }
        let student = cx.models().get(&self.student)?;
        let mut lists = Lists::new(student, cx.models().get(&self.teacher)?)?;
        if self.averagings == 0 {
            foreach_copy_(&mut lists.teacher, &lists.student)?;
            foreach_copy_(&mut lists.copied, &lists.to_copy)?;
        }
        self.lists = Some(lists);
        cx.model(&self.teacher)?.freeze("*")?;
        Ok(())
    }

    #[only_ok]
    fn after_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(update) = cx.update_number() else { return Ok(()) };
        let skipped = cx.is_update_skipped();
        let is_due = cx.updates_model(&self.student) && Cadence::iters(self.interval).is_at(update);
        let Some(lists) = self.lists.as_mut().filter(|_| is_due && skipped.known() != Some(true)) else {
            return Ok(());
        };
        let before = self.averagings as f64;
        self.averagings += 1;
        let decay = if self.ramp { self.decay.min(1.0 - 1.0 / (before + 1.0)) } else { self.decay };
        match &skipped {
            Flag::Known(_) => foreach_lerp_(&mut lists.teacher, &lists.student, 1.0 - decay)?,
            // a weight of 0 where the update was left out
            Flag::Lazy(skipped) => {
                let weight = skipped.f_rsub_scalar(1)?.f_mul_scalar(1.0 - decay)?;
                foreach_lerp_by_(&mut lists.teacher, &lists.student, &weight)?;
            }
        }
        Ok(foreach_copy_(&mut lists.copied, &lists.to_copy)?)
    }
}

impl Lists {
    fn new(student: &ModelEntry, teacher: &ModelEntry) -> Result<Lists> {
        let (mut averaged, mut towards, mut copied, mut to_copy) = (vec![], vec![], vec![], vec![]);
        let (mut of_teacher, mut of_student) = (teacher.distinct(), student.distinct());
        loop {
            let pair = (of_teacher.next(), of_student.next());
            let ((name, mine), (other, theirs)) = match pair {
                (Some(mine), Some(theirs)) => (mine, theirs),
                (None, None) => break,
                (Some((name, _)), None) => return Err(misfit(teacher, student, name)),
                (None, Some((name, _))) => return Err(misfit(student, teacher, name)),
            };
            if name != other || mine.size() != theirs.size() || mine.kind() != theirs.kind() {
                return Err(misfit(teacher, student, name));
            }
            let trained = student.parameters().any(|(parameter, _)| parameter == other);
            let (into, from) = match trained && theirs.is_floating_point() {
                true => (&mut averaged, &mut towards),
                false => (&mut copied, &mut to_copy),
            };
            into.push(mine.detach());
            from.push(theirs.detach());
        }
        Ok(Lists {
            teacher: TensorList::new(&averaged)?,
            student: TensorList::new(&towards)?,
            copied: TensorList::new(&copied)?,
            to_copy: TensorList::new(&to_copy)?,
        })
    }
}

fn misfit(one: &ModelEntry, other: &ModelEntry, variable: &str) -> Error {
    Error::msg(format!(
        "`{}` has the variable `{variable}`, and `{}` has none of this name and shape in its place; give both models the same settings",
        one.name(),
        other.name()
    ))
}
