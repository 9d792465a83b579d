//! The place of a process among others, as its launcher tells.

/// The place of this process among those that a launcher has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The number of this process, from 0: `RANK`.
    pub rank: usize,
    /// How many processes there are: `WORLD_SIZE`.
    pub world: usize,
    /// The number of this process among those of its machine: `LOCAL_RANK`, else the rank.
    pub local_rank: usize,
    /// How many processes this machine has: `LOCAL_WORLD_SIZE`, else `WORLD_SIZE`.
    pub local_world: usize,
    /// The machine of the store: `MASTER_ADDR`.
    pub host: String,
    /// The port of the store: `MASTER_PORT`.
    pub port: u16,
    /// Whether the launcher serves the store, and not rank 0: `TORCHELASTIC_USE_AGENT_STORE`.
    pub store_is_served: bool,
    /// How often the launcher has started the processes anew: `TORCHELASTIC_RESTART_COUNT`.
    pub attempt: u64,
}

impl Launched {
    /// Whether all processes are on this machine, as far as the address of the store tells.
    pub fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.starts_with("127.") || self.host == "::1"
    }
}
