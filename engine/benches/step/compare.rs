//! Runs the ways in turn and takes medians.

use crate::args::{Options, device_word};
use crate::work::{By, Work};
use engine::prelude::*;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Compares the ways on every net, prints a table for each, and writes all numbers as JSON when a file is named.
pub(crate) fn compare(options: &Options) -> Result<()> {
    let began = Instant::now();
    let mut found = Vec::new();
    for &work in &options.works {
        if options.limit.is_some_and(|limit| began.elapsed().as_secs_f64() > limit) {
            println!("{}: left out, the time is over", work.name());
            continue;
        }
        let ways = measure(work, options)?;
        println!("{}", table(work, options.device, &ways));
        found.push(json(work, options.device, &ways));
        // after each: what comes later may take too long
        if let Some(path) = &options.out {
            std::fs::write(path, format!("[\n{}\n]\n", found.join(",\n")))?;
        }
    }
    Ok(())
}

/// A way and its rounds, or why it has none.
struct Way {
    name: &'static str,
    rounds: Result<Vec<Round>>,
}

/// One round: microseconds of an iter by the clock and of all processors, and the loss at its end.
#[derive(Clone, Copy)]
struct Round {
    wall: f64,
    cpu: f64,
    loss: f64,
}

/// A process with its rounds so far, or why it takes no part any more.
type Running = Result<(Server, Vec<Round>)>;

fn measure(work: Work, options: &Options) -> Result<Vec<Way>> {
    let program = std::env::current_exe()?.display().to_string();
    let device = device_word(options.device);
    let command = |(name, by): (&'static str, By)| {
        let rest = format!("{} {name}", work.name());
        let command = match by {
            By::Us => format!("{program} serve {rest} --device {device}"),
            By::PyTorch => format!("{} {rest} {device}", options.peers.as_ref()?),
            By::Engines => format!("{} {rest} {device}", options.engines.as_ref()?),
        };
        Some((name, command))
    };
    let commands = work.ways(options.device).into_iter().filter_map(command);
    // all are started before any is waited for: they load and warm up beside each other
    let started: Vec<_> = commands.map(|(name, command)| (name, Server::start(&command))).collect();
    let mut servers: Vec<(&'static str, Running)> = started
        .into_iter()
        .map(|(name, server)| {
            let ready = server.and_then(|mut server| server.answer().map(|_| (server, Vec::new())));
            (name, ready)
        })
        .collect();
    // as many iters for all of them: the losses can be compared
    servers.iter_mut().for_each(|(_, server)| step(server, 20));
    let walls: Vec<f64> = servers.iter().filter_map(|(_, server)| Some(server.as_ref().ok()?.1.last()?.wall)).collect();
    let first = *walls.first().ok_or_else(|| Error::msg(format!("no way of `{}` could be started", work.name())))?;
    let slowest = walls.iter().copied().fold(first, f64::max);
    // a way that is many times slower does not make its rounds many times longer
    let iters = (options.seconds * 1e6 / first.max(slowest / 10.0)).clamp(5.0, 20_000.0) as u64;
    servers.iter_mut().flat_map(|(_, server)| server).for_each(|(_, rounds)| rounds.clear());
    for _ in 0..options.rounds {
        for (_, server) in &mut servers {
            step(server, iters);
        }
    }
    Ok(servers.into_iter().map(|(name, server)| Way { name, rounds: server.map(|(_, rounds)| rounds) }).collect())
}

/// One round of a server; one that fails takes no further part.
fn step(server: &mut Running, iters: u64) {
    let Ok((process, rounds)) = server else { return };
    match process.round(iters) {
        Ok(round) => rounds.push(round),
        Err(error) => *server = Err(error),
    }
}

/// A process that takes steps when it is asked.
struct Server {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start(command: &str) -> Result<Self> {
        let mut words = command.split_whitespace();
        let program = words.next().ok_or_else(|| Error::msg("a way has no command"))?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{program}` can't be started"))?;
        let missing = || Error::msg("a process has no pipe");
        let questions = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Server { child, questions: Some(questions), answers })
    }

    fn round(&mut self, iters: u64) -> Result<Round> {
        let questions = self.questions.as_mut().ok_or_else(|| Error::msg("the process has ended"))?;
        writeln!(questions, "{iters}")?;
        questions.flush()?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Round> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            return Err(Error::msg("the process has ended; what it said is above"));
        }
        let answer: serde_json::Value = serde_json::from_str(&line)?;
        let number = |key: &str| answer[key].as_f64().ok_or_else(|| Error::msg(format!("no `{key}` in `{line}`")));
        let per_iter = 1e6 / number("iters")?;
        Ok(Round { wall: number("seconds")? * per_iter, cpu: number("cpu")? * per_iter, loss: number("loss")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // a process that nobody asks any more ends; one that does not is ended
        drop(self.questions.take());
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Median, least and greatest.
fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    match values.as_slice() {
        [] => [f64::NAN; 3],
        [first, .., last] => [values[values.len() / 2], *first, *last],
        [only] => [*only; 3],
    }
}

fn table(work: Work, device: Device, ways: &[Way]) -> String {
    let (unit, per_iter) = work.unit(device);
    // on a CPU that others use too the processor's time is what can be compared
    // and where processes beside it do a part of the work, only the clock tells
    let (counted, of): (_, fn(&Round) -> f64) = match device {
        Device::Cpu if !matches!(work, Work::Samples | Work::Images) => ("cpu", |round| round.cpu),
        _ => ("wall", |round| round.wall),
    };
    let median = |rounds: &[Round]| spread(rounds.iter().map(of).collect())[0];
    let ours = ways.first().and_then(|way| way.rounds.as_ref().ok()).map(|rounds| median(rounds));
    let head = format!("{} on {}, {per_iter} {unit} in an iter", work.name(), device_word(device));
    let mut text = format!(
        "{head}\n{:<10}{:>12}{:>24}{:>12}{:>14}{:>14}  last loss\n",
        "way",
        "µs/iter",
        "least..greatest",
        "cpu µs/iter",
        format!("{unit}/s"),
        format!("{}/, {counted}", ways.first().map_or("engine", |way| way.name))
    );
    for way in ways {
        let line = match &way.rounds {
            Err(error) => format!("{:<10}no numbers: {error:#}\n", way.name),
            Ok(rounds) => {
                let [wall, least, greatest] = spread(walls(rounds));
                let [cpu, ..] = spread(rounds.iter().map(|round| round.cpu).collect());
                let loss = rounds.last().map_or(f64::NAN, |round| round.loss);
                let ratio = ours.map_or(f64::NAN, |ours| ours / median(rounds));
                let range = format!("{least:.1}..{greatest:.1}");
                let rate = per_iter as f64 * 1e6 / wall;
                format!("{:<10}{wall:>12.1}{range:>24}{cpu:>12.1}{rate:>14.0}{ratio:>14.3}  {loss:.6}\n", way.name)
            }
        };
        text.push_str(&line);
    }
    text
}

fn walls(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| round.wall).collect()
}

fn json(work: Work, device: Device, ways: &[Way]) -> String {
    let (unit, per_iter) = work.unit(device);
    let numbers = |rounds: &[Round], of: fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<f64>>();
    let ways: serde_json::Map<String, serde_json::Value> = ways
        .iter()
        .map(|way| {
            let value = match &way.rounds {
                Err(error) => serde_json::json!({ "error": format!("{error:#}") }),
                Ok(rounds) => serde_json::json!({
                    "wall_us": numbers(rounds, |round| round.wall),
                    "cpu_us": numbers(rounds, |round| round.cpu),
                    "loss": numbers(rounds, |round| round.loss),
                }),
            };
            (way.name.to_owned(), value)
        })
        .collect();
    serde_json::json!({
        "net": work.name(), "device": device_word(device), "unit": unit, "per_iter": per_iter, "ways": ways,
    })
    .to_string()
}
