//! What a launcher tells its processes: the variables of `torchrun`, which other launchers set too, else those of
//! schedulers.

use crate::dist::error::DistError;
use crate::dist::launched::Launched;
use crate::dist::schedulers::{of_mpi, of_slurm};
use crate::dist::variables::{Variables, missing, number, port};

impl Launched {
    /// What the environment of this process says; `None` when no launcher has started it.
    ///
    /// # Errors
    /// When a variable is missing or can't be read.
    pub fn of_environment() -> Result<Option<Launched>, DistError> {
        Launched::of(&Variables(&|name| std::env::var(name).ok().filter(|value| !value.is_empty())))
    }

    fn of(variables: &Variables<'_>) -> Result<Option<Launched>, DistError> {
        let variable = |name| variables.get(name);
        if variable("RANK").or_else(|| variable("WORLD_SIZE")).is_none() {
            // `mpirun` within a job of SLURM: its processes have the variables of both, and SLURM's are of what has started them
            return of_mpi(variables)?.map_or_else(|| of_slurm(variables), |launched| Ok(Some(launched)));
        }
        let (rank, world) = (number(variables, "RANK")?, number(variables, "WORLD_SIZE")?);
        let or = |name, other| variable(name).map_or(Ok(other), |_| number(variables, name));
        let (local_rank, local_world) = (or("LOCAL_RANK", rank)?, or("LOCAL_WORLD_SIZE", world)?);
        if rank >= world {
            let why = format!("it is {rank}, and there are {world} ranks (`WORLD_SIZE`), counted from 0");
            return Err(DistError::Variable { name: "RANK", why });
        }
        let (host, port) = match world {
            // alone: nothing is connected to
            1 => (variable("MASTER_ADDR").unwrap_or_default(), 0),
            _ => (variable("MASTER_ADDR").ok_or_else(|| missing("MASTER_ADDR"))?, port(variables)?),
        };
        Ok(Some(Launched {
            rank,
            world,
            local_rank,
            local_world,
            host,
            port,
            store_is_served: variable("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|value| value == "True"),
            attempt: or("TORCHELASTIC_RESTART_COUNT", 0)? as u64,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TORCHRUN: [(&str, &str); 6] = [
        ("RANK", "3"),
        ("WORLD_SIZE", "4"),
        ("LOCAL_RANK", "1"),
        ("LOCAL_WORLD_SIZE", "2"),
        ("MASTER_ADDR", "node7"),
        ("MASTER_PORT", "29400"),
    ];

    fn of(variables: &[(&str, &str)]) -> Result<Option<Launched>, String> {
        let read =
            |name: &str| variables.iter().rfind(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Launched::of(&Variables(&read)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_variables_of_torchrun_are_read() {
        let launched = of(&TORCHRUN).unwrap().unwrap();
        assert_eq!((launched.rank, launched.world, launched.local_rank, launched.local_world), (3, 4, 1, 2));
        assert_eq!((launched.host.as_str(), launched.port, launched.attempt), ("node7", 29400, 0));
        assert!(!launched.store_is_served && !launched.is_local());
        let mut restarted = TORCHRUN.to_vec();
        restarted.extend([("TORCHELASTIC_USE_AGENT_STORE", "True"), ("TORCHELASTIC_RESTART_COUNT", "2")]);
        let restarted = of(&restarted).unwrap().unwrap();
        assert!(restarted.store_is_served && restarted.attempt == 2);
    }

    #[test]
    fn without_a_launcher_there_is_nothing_and_a_single_rank_needs_no_store() {
        assert_eq!(of(&[("MASTER_ADDR", "node7")]), Ok(None));
        assert_eq!(of(&[("RANK", "0"), ("WORLD_SIZE", "1")]).unwrap().unwrap().world, 1);
    }

    #[test]
    fn of_mpirun_within_a_step_of_slurm_the_variables_of_mpirun_count() {
        let both = [
            ("SLURM_PROCID", "1"),
            ("SLURM_STEP_NUM_TASKS", "2"),
            ("OMPI_COMM_WORLD_RANK", "5"),
            ("OMPI_COMM_WORLD_SIZE", "8"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "4"),
            ("MASTER_ADDR", "node1"),
        ];
        let launched = of(&both).unwrap().unwrap();
        assert_eq!((launched.rank, launched.world, launched.local_rank), (5, 8, 1));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let without = |name: &str| {
            let left: Vec<_> = TORCHRUN.into_iter().filter(|(known, _)| *known != name).collect();
            of(&left).unwrap_err()
        };
        for name in ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"] {
            assert!(without(name).contains(&format!("`{name}`")), "{}", without(name));
        }
        let with = |name, value| {
            let mut all = TORCHRUN.to_vec();
            all.push((name, value));
            of(&all).unwrap_err()
        };
        assert!(with("RANK", "4").contains("there are 4 ranks"), "{}", with("RANK", "4"));
        assert!(with("MASTER_PORT", "70000").contains("`70000` is no port"));
        assert!(with("MASTER_PORT", "0").contains("`0` is no port"));
        assert!(with("WORLD_SIZE", "two").contains("`two` is no number of this kind"));
    }
}
