//! Names that an expansion could trip over.

use engine::prelude::*;

/// The settings of the user's own, with the name that the expansion would take.
#[component]
pub struct AverageConfig {
    /// How far back.
    #[config(default = 3)]
    pub window: usize,
}

// case: a type of the name of the generated settings
/// An average.
#[hook]
#[derive(Debug)]
pub struct Average {
    #[config(default = AverageConfig { window: 5 })]
    inner: AverageConfig,
    // case: names of the language
    #[config(default = 1)]
    r#type: u64,
    #[state]
    r#loop: u64,
    // case: names of the expansion's own locals
    #[config(default = 1)]
    config: u64,
    #[config(default = 1)]
    deserializer: u64,
    #[state]
    map: u64,
    #[state]
    state: u64,
    #[transient]
    cx: u64,
    // case: a field that is not always there
    #[cfg(any())]
    #[config(default = 1)]
    never: Missing,
    #[cfg(all())]
    #[state]
    always: u64,
}

#[phases]
impl Average {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.map += self.r#type + self.r#loop + self.config + self.deserializer + self.always;
        self.state += self.cx + self.inner.window as u64;
        Ok(())
    }
}

// case: types of the prelude under other meanings
#[allow(dead_code, reason = "they only have to be in scope")]
mod shadows {
    struct Option;
    struct Result;
    struct String;
    struct Box;
    struct Vec;
    fn drop() {}

    #[engine::hook]
    struct Shadowed {
        #[config(default = 1, range = 0..=3)]
        depth: u64,
        #[state]
        seen: u64,
    }

    #[engine::phases]
    impl Shadowed {
        fn after_run(&mut self, _cx: &mut engine::run::Context<'_>) -> engine::base::Result<()> {
            self.seen += self.depth;
            Ok(())
        }
    }
}

/// A hook within a function: only what is within its scope is named.
pub fn local() -> &'static str {
    // case: an item of a function
    #[derive(Clone, Copy, Default)]
    struct Local(f64);

    #[hook]
    struct Inner {
        #[transient]
        best: Local,
    }

    #[phases]
    impl Inner {
        fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
            self.best.0 += 1.0;
            Ok(())
        }
    }

    Inner::NAME
}
