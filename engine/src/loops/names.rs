//! The names of the values that evaluations measure: `val/x`, or `val/NAME/x` when there are several val loaders.

use crate::loops::trainer::{Role, Trainer};
use crate::metric::Measure;

/// What every val and test loader will measure with metrics that measure this, under monitored names.
pub(crate) fn monitored<T: Trainer>(plain: &[Measure]) -> Vec<Measure> {
    let mut monitored = Vec::new();
    for role in [Role::Val, Role::Test] {
        let loaders = T::loaders(role);
        // where there are several, the plain name stands for the first
        if loaders.len() > 1 {
            let named = |name: &str| format!("{}/{name}", role.name());
            monitored.extend(plain.iter().map(|measure| Measure::new(named(&measure.name), measure.better)));
        }
        for index in 0..loaders.len() {
            let named = |name: &str| monitored_name::<T>(role, index, name);
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
pub(super) fn monitored_name<T: Trainer>(role: Role, index: usize, name: &str) -> String {
    match T::loaders(role) {
        [_] => format!("{}/{name}", role.name()),
        loaders => format!("{}/{}/{name}", role.name(), loaders[index]),
    }
}

/// Whether a name stands for that of the first of several loaders: `val/x` for `val/NAME/x`.
pub(crate) fn is_short<T: Trainer>(name: &str) -> bool {
    [Role::Val, Role::Test].iter().any(|role| {
        let loaders = T::loaders(*role);
        let Some(rest) = name.strip_prefix(role.name()).and_then(|rest| rest.strip_prefix('/')) else { return false };
        loaders.len() > 1 && !loaders.iter().any(|loader| rest.starts_with(&format!("{loader}/")))
    })
}
