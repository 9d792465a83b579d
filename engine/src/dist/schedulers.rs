//! What schedulers of clusters tell their processes: `srun` of SLURM, `mpirun` of Open MPI.

use crate::dist::error::DistError;
use crate::dist::launched::Launched;
use crate::dist::variables::{Variables, number, port};

/// The place of a process that `srun` has started, among those of its step. A step of one process is none of several; so is
/// a batch script, which has no step.
pub(super) fn of_slurm(variables: &Variables<'_>) -> Result<Option<Launched>, DistError> {
    if variables.get("SLURM_PROCID").is_none() || variables.get("SLURM_STEP_NUM_TASKS").is_none() {
        return Ok(None);
    }
    let (rank, world) = (number(variables, "SLURM_PROCID")?, number(variables, "SLURM_STEP_NUM_TASKS")?);
    let local_rank = number(variables, "SLURM_LOCALID")?;
    let per_node = variables.get("SLURM_STEP_TASKS_PER_NODE").unwrap_or_default();
    let node: usize = number(variables, "SLURM_NODEID")?;
    let of_this_machine = tasks_of(&per_node, node);
    let host = match variables.get("MASTER_ADDR") {
        Some(host) => host,
        None if of_this_machine == Some(world) => THIS_MACHINE.to_owned(),
        None => match variables.get("SLURM_STEP_NODELIST").map(|list| first_node(&list)) {
            Some(host) if !host.is_empty() => host,
            _ => {
                let why = "it is not set, and neither is `SLURM_STEP_NODELIST`, so nothing tells where the ranks meet: set it to the name of the machine of rank 0";
                return Err(DistError::Variable { name: "MASTER_ADDR", why: why.to_owned() });
            }
        },
    };
    // where it is not told, they may share all its cores
    let local_world = of_this_machine.unwrap_or(world);
    let port = match variables.get("MASTER_PORT") {
        Some(_) => port(variables)?,
        None => {
            let (job, step): (u64, u64) = (number(variables, "SLURM_JOB_ID")?, number(variables, "SLURM_STEP_ID")?);
            port_of(job.wrapping_mul(31).wrapping_add(step))
        }
    };
    Ok(Some(Launched { rank, world, local_rank, local_world, host, port, store_is_served: false, attempt: 0 }))
}

/// The place of a process that Open MPI has started. It tells no address: on one machine the processes meet at the one of
/// the machine itself, on several `MASTER_ADDR` has to be set.
pub(super) fn of_mpi(variables: &Variables<'_>) -> Result<Option<Launched>, DistError> {
    if variables.get("OMPI_COMM_WORLD_RANK").is_none() {
        return Ok(None);
    }
    let (rank, world) = (number(variables, "OMPI_COMM_WORLD_RANK")?, number(variables, "OMPI_COMM_WORLD_SIZE")?);
    let local_rank = number(variables, "OMPI_COMM_WORLD_LOCAL_RANK")?;
    let local_world = number(variables, "OMPI_COMM_WORLD_LOCAL_SIZE")?;
    let host = match variables.get("MASTER_ADDR") {
        Some(host) => host,
        None if local_world == world => THIS_MACHINE.to_owned(),
        None => {
            let why = "it is not set, and `mpirun` has started processes on several machines: set it to the name of the machine of rank 0 (`mpirun -x MASTER_ADDR=node1`)";
            return Err(DistError::Variable { name: "MASTER_ADDR", why: why.to_owned() });
        }
    };
    let port = match (variables.get("MASTER_PORT"), variables.get("PMIX_NAMESPACE")) {
        (Some(_), _) => port(variables)?,
        (None, Some(job)) => {
            port_of(job.bytes().fold(7, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into())))
        }
        (None, None) => 29_500,
    };
    Ok(Some(Launched { rank, world, local_rank, local_world, host, port, store_is_served: false, attempt: 0 }))
}

/// Where processes of one machine meet.
const THIS_MACHINE: &str = "127.0.0.1";

/// A port that no other job has, as far as that can be had without asking: below those that systems give out by themselves.
fn port_of(job: u64) -> u16 {
    12_000 + (job % 20_000) as u16
}

/// The first machine of a list such as `gpu[003-005,9],cpu1`.
fn first_node(list: &str) -> String {
    match list.find(['[', ',']) {
        Some(at) if list[at..].starts_with('[') => {
            let (before, rest) = (&list[..at], &list[at + 1..]);
            let number = rest.split(['-', ',', ']']).next().unwrap_or_default();
            let after = rest.split_once(']').map_or("", |(_, after)| after);
            let after = after.split(',').next().unwrap_or_default();
            format!("{before}{number}{after}")
        }
        Some(at) => list[..at].to_owned(),
        None => list.to_owned(),
    }
}

/// The tasks of a machine by a list such as `2(x3),1`: two on each of the first three machines, one on the fourth.
fn tasks_of(list: &str, node: usize) -> Option<usize> {
    let mut before = 0;
    for part in list.split(',') {
        let (tasks, times) = match part.split_once("(x") {
            Some((tasks, times)) => (tasks, times.strip_suffix(')')?.parse().ok()?),
            None => (part, 1),
        };
        before += times;
        if node < before {
            return tasks.trim().parse().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        variables: &[(&str, &str)],
        read: fn(&Variables<'_>) -> Result<Option<Launched>, DistError>,
    ) -> Option<Launched> {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        read(&Variables(&get)).unwrap()
    }

    const SRUN: [(&str, &str); 8] = [
        ("SLURM_PROCID", "5"),
        ("SLURM_STEP_NUM_TASKS", "7"),
        ("SLURM_LOCALID", "1"),
        ("SLURM_NODEID", "2"),
        ("SLURM_STEP_TASKS_PER_NODE", "2(x3),1"),
        ("SLURM_STEP_NODELIST", "gpu[03-05,9]"),
        ("SLURM_JOB_ID", "123456"),
        ("SLURM_STEP_ID", "0"),
    ];

    #[test]
    fn a_step_of_slurm_meets_on_its_first_machine() {
        let launched = of(&SRUN, of_slurm).unwrap();
        assert_eq!((launched.rank, launched.world, launched.local_rank, launched.local_world), (5, 7, 1, 2));
        assert_eq!(launched.host, "gpu03");
        assert!((12_000..32_000).contains(&launched.port));
        let other: Vec<_> =
            SRUN.into_iter().map(|(name, value)| (name, if name == "SLURM_STEP_ID" { "1" } else { value })).collect();
        assert_ne!(of(&other, of_slurm).unwrap().port, launched.port);
        // all of them on one machine: nothing is asked of the network
        let one_machine = SRUN.map(|(name, value)| match name {
            "SLURM_STEP_NUM_TASKS" | "SLURM_STEP_TASKS_PER_NODE" => (name, "7"),
            "SLURM_NODEID" => (name, "0"),
            _ => (name, value),
        });
        let launched = of(&one_machine, of_slurm).unwrap();
        assert!(launched.local_world == 7 && launched.is_local(), "{launched:?}");
        // only a list that says so makes a step one of a single machine
        let with_tasks = |tasks: Option<&'static str>| {
            let others = SRUN.into_iter().filter(|(name, _)| *name != "SLURM_STEP_TASKS_PER_NODE");
            others.chain(tasks.map(|tasks| ("SLURM_STEP_TASKS_PER_NODE", tasks))).collect::<Vec<_>>()
        };
        for tasks in [None, Some(""), Some("2(x3"), Some("many"), Some("2")] {
            let launched = of(&with_tasks(tasks), of_slurm).unwrap();
            assert_eq!((launched.host.as_str(), launched.local_world), ("gpu03", 7), "{tasks:?}");
        }
        let nowhere: Vec<_> = with_tasks(None).into_iter().filter(|(name, _)| *name != "SLURM_STEP_NODELIST").collect();
        let get = |name: &str| nowhere.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert!(of_slurm(&Variables(&get)).unwrap_err().to_string().contains("`MASTER_ADDR`"));
        // what a batch script has
        assert_eq!(of(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")], of_slurm), None);
    }

    #[test]
    fn lists_of_machines_and_tasks_are_read() {
        for (list, first) in [
            ("node7", "node7"),
            ("a1,b[2-3]", "a1"),
            ("gpu[003-005,9],cpu1", "gpu003"),
            ("rack2-n[7]", "rack2-n7"),
            ("n[1,2]-ib,m", "n1-ib"),
        ] {
            assert_eq!(first_node(list), first, "{list}");
        }
        assert_eq!([0, 2, 3, 4].map(|node| tasks_of("2(x3),1", node)), [Some(2), Some(2), Some(1), None]);
        assert_eq!((tasks_of("4", 0), tasks_of("", 0)), (Some(4), None));
    }

    #[test]
    fn processes_of_mpi_on_one_machine_need_no_address() {
        let local = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ];
        let launched = of(&local, of_mpi).unwrap();
        assert_eq!((launched.rank, launched.host.as_str(), launched.port), (1, "127.0.0.1", 29_500));
        let job = |name| of(&[&local[..], &[("PMIX_NAMESPACE", name)]].concat(), of_mpi).unwrap().port;
        assert!((12_000..32_000).contains(&job("868679681")) && job("868679681") != job("868679682"));
        let far = local.map(|(name, value)| (name, if name == "OMPI_COMM_WORLD_LOCAL_SIZE" { "1" } else { value }));
        let get = |name: &str| far.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert!(of_mpi(&Variables(&get)).unwrap_err().to_string().contains("`MASTER_ADDR`"));
    }
}
