//! `schedule`: the values that a setting of each parameter group has over a training, without training.

use crate::base::suggest::meant;
use crate::base::{Clock, Error, Result};
use crate::loops::Role;
use crate::optim::schedule::is_of_part;
use crate::optim::{GroupName, Schedules};
use crate::trainer::run::build;
use crate::trainer::run::check_schedules::check_schedules;
use crate::trainer::run::scheduled_values::{moments, values};
use crate::trainer::{Build, DeviceChoice, Experiment};

/// A setting over a whole training, as `schedule` tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledSetting {
    /// `lr`, `momentum`, ….
    pub setting: String,
    /// Updates of the whole training.
    pub max_iters: u64,
    /// Epochs of the whole training; `None` in a training counted in iters.
    pub max_epochs: Option<u64>,
    /// Finished updates and epochs at the moments of which the values are, in order.
    pub moments: Vec<(u64, u64)>,
    /// The groups that have the setting; of a hook or the trainer the setting itself.
    pub groups: Vec<ScheduledGroup>,
    /// What the values do not show, because only a training tells it.
    pub notes: Vec<String>,
}

/// The values of one parameter group.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledGroup {
    /// The optimizer and the group, `opt/default`; or the setting, `hooks.ema.decay`.
    pub name: String,
    /// The value at each moment: that of the update that follows.
    pub values: Vec<f64>,
}

/// Computes the values before at most `most` updates, evenly spread, the first and the last among them. The loaders are opened,
/// because their length decides where a schedule ends; no batch is read, and everything is built on the CPU.
///
/// # Errors
/// When a part finds something wrong with its settings, or no optimizer has the setting.
pub fn scheduled<T: Build>(experiment: Experiment<T>, setting: &str, most: u64) -> Result<ScheduledSetting> {
    let mut program = build(Experiment { device: DeviceChoice::Cpu, ..experiment }, &[Role::Train, Role::Val])?;
    program.prepare_train()?;
    check_schedules(&mut program)?;
    let adjustable = program.adjustable()?;
    let planned = program.run.clocks.progress().planned;
    let moments = moments(&program, most);
    let notes = notes(&mut program.run.updates.schedules, setting);
    let optimizers = program.run.updates.optimizers();
    let mut groups = Vec::new();
    for (optimizer, group) in
        optimizers.iter().flat_map(|optimizer| optimizer.groups().iter().map(move |g| (optimizer, g)))
    {
        let Some(initial) = group.settings().initial(setting) else { continue };
        let name = GroupName { optimizer: optimizer.name(), group: group.name() };
        let names = program.run.updates.schedules.names_of(setting, group.settings());
        let values = values(&program, &names, name, initial, &moments)?;
        groups.push(ScheduledGroup {
            name: name.to_string(),
            values: values.unwrap_or_else(|| vec![initial; moments.len()]),
        });
    }
    if let Some((path, initial)) = adjustable.iter().find(|(path, _)| path == setting) {
        let nobody = GroupName { optimizer: "", group: "" };
        let values = values(&program, &[setting], nobody, *initial, &moments)?;
        let values = values.unwrap_or_else(|| vec![*initial; moments.len()]);
        groups.push(ScheduledGroup { name: path.clone(), values });
    }
    if groups.is_empty() && is_of_part(setting) {
        let known: Vec<&str> = adjustable.iter().map(|(path, _)| path.as_str()).collect();
        return Err(Error::msg(format!(
            "there is no setting `{setting}` that a schedule can change{}",
            meant(setting, &known)
        )));
    }
    if groups.is_empty() {
        let mut settings =
            optimizers.iter().flat_map(|optimizer| optimizer.groups()).map(|group| group.settings().clone());
        let why = settings.next().and_then(|mut settings| settings.set(setting, 0.0).err());
        return Err(why.map_or_else(|| Error::msg("the trainer has no optimizer"), Error::new));
    }
    let max_epochs = (T::CLOCK == Clock::Epoch).then_some(planned.max_epochs);
    Ok(ScheduledSetting {
        setting: setting.to_owned(),
        max_iters: planned.max_iters,
        max_epochs,
        moments,
        groups,
        notes,
    })
}

/// How many updates a training is going to have. The loaders are opened, as in [`scheduled`].
///
/// # Errors
/// When a part finds something wrong with its settings.
pub(crate) fn planned_iters<T: Build>(experiment: Experiment<T>) -> Result<u64> {
    let mut program = build(Experiment { device: DeviceChoice::Cpu, ..experiment }, &[Role::Train, Role::Val])?;
    program.prepare_train()?;
    Ok(program.run.clocks.progress().planned.max_iters)
}

/// What schedules of this setting do that only validations tell.
fn notes(schedules: &mut Schedules, setting: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for schedule in &mut schedules.0 {
        let (kind, is_meant) = (schedule.typetag_name(), schedule.window().setting == setting);
        if let Some(watching) = schedule.watching().filter(|_| is_meant) {
            let monitor = watching.monitor();
            notes.push(format!("`{kind}` follows `{monitor}`: what it will change is not known before the training"));
        }
    }
    notes
}
