//! The cases that must compile, as modules: compiling this library is the test.

#![deny(warnings)]

use renamed as _;

#[path = "../batch/pass/forms.rs"]
pub mod batch_forms;
#[path = "../component/pass/kinds.rs"]
pub mod component_kinds;
#[path = "../component/pass/sinks.rs"]
pub mod component_sinks;
#[path = "../hook/pass/attributes.rs"]
pub mod hook_attributes;
#[path = "../hook/pass/every_role.rs"]
pub mod hook_every_role;
#[path = "../hook/pass/handed_on.rs"]
pub mod hook_handed_on;
#[path = "../hook/pass/names.rs"]
pub mod hook_names;
#[path = "../passes/pass/gan.rs"]
pub mod passes_gan;
#[path = "../passes/pass/own_batch.rs"]
pub mod passes_own_batch;
#[path = "../phases/pass/forms.rs"]
pub mod phases_forms;
#[path = "../phases/pass/only_ok.rs"]
pub mod phases_only_ok;
#[path = "../schedule/pass/forms.rs"]
pub mod schedule_forms;
#[path = "../trainer/pass/every_role.rs"]
pub mod trainer_every_role;
#[forbid(dead_code)]
#[path = "../trainer/pass/forbidden_lints.rs"]
pub mod trainer_forbidden_lints;
#[path = "../trainer/pass/joined_loaders.rs"]
pub mod trainer_joined_loaders;
#[path = "../trainer/pass/names.rs"]
pub mod trainer_names;
#[no_implicit_prelude]
#[path = "../trainer/pass/no_prelude.rs"]
pub mod trainer_no_prelude;
#[path = "../trainer/pass/private.rs"]
pub mod trainer_private;
#[path = "../trainer/pass/several_models.rs"]
pub mod trainer_several_models;
