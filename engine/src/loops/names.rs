//! The names of what evaluations measure: `val/x`, or `val/NAME/x` where there are several val loaders.

use crate::loops::loaders::Loaders;
use crate::loops::trainer::Role;
use crate::metric::Measure;

/// What every val and test loader will measure with metrics that measure this, under monitored names.
pub(crate) fn monitored(loaders: &Loaders, plain: &[Measure]) -> Vec<Measure> {
    let mut monitored = Vec::new();
    for role in [Role::Val, Role::Test] {
        // where there are several, the plain name stands for the first
        if loaders.are_named(role) && loaders.has(role) {
            let named = |name: &str| format!("{}/{name}", role.name());
            monitored.extend(plain.iter().map(|measure| Measure::new(named(&measure.name), measure.better)));
        }
        for (_, loader) in loaders.of(role) {
            let named = |name: &str| monitored_name(loaders, role, loader, name);
            monitored.extend(plain.iter().map(|measure| Measure::new(named(&measure.name), measure.better)));
        }
    }
    monitored
}

/// Why two metrics may not produce one name, and what to do.
pub(crate) fn produced_twice(name: &str) -> String {
    format!("two metrics produce `{name}`; give one of them a `name`")
}

/// `val/x`, and `val/NAME/x` where there are several val loaders; likewise for test.
pub(super) fn monitored_name(loaders: &Loaders, role: Role, loader: &str, name: &str) -> String {
    match loaders.are_named(role) {
        true => format!("{}/{loader}/{name}", role.name()),
        false => format!("{}/{name}", role.name()),
    }
}

/// Whether a name stands for that of the first of several loaders: `val/x` for `val/NAME/x`.
pub(crate) fn is_short(loaders: &Loaders, name: &str) -> bool {
    [Role::Val, Role::Test].iter().any(|role| {
        let Some(rest) = name.strip_prefix(role.name()).and_then(|rest| rest.strip_prefix('/')) else { return false };
        loaders.are_named(*role) && !loaders.of(*role).any(|(_, loader)| rest.starts_with(&format!("{loader}/")))
    })
}
