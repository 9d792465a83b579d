//! What `show --full` prints, and every run saves, is read again as the same experiment: for a thousand that are made
//! up from what the trainer says it accepts.

use crate::program::Fit;
use engine::config::registry::{Component, FieldInfo};
use engine::config::{Field, Kind, Node, Shape, print};
use engine::hooks::DefaultHooks;
use engine::random::Stream;
use engine::trainer::{Experiment, Section};

/// How many experiments have to be read and printed.
const WANTED: usize = 1000;

#[test]
fn a_thousand_experiments_are_the_same_when_they_are_printed_and_read_again() {
    let schema = Experiment::<Fit>::schema();
    let (mut read, mut refused, mut longest) = (0, Vec::new(), 0);
    for seed in 0.. {
        if read == WANTED {
            break;
        }
        let mut dice = Dice(Stream::new(seed, "made up", 0, 0));
        let text = print(&dice.experiment(&schema.sections));
        let experiment = match Experiment::<Fit>::parse("made up.ron", &text) {
            Ok(experiment) => experiment,
            // rules across fields refuse some; each has to say why
            Err(errors) => {
                assert!(errors.diagnostics.iter().all(|found| found.span.is_some()), "{errors}");
                refused.push(format!("{errors}"));
                assert!(refused.len() < 4 * WANTED, "almost none is accepted: {}", refused[0]);
                continue;
            }
        };
        let full = experiment.print().unwrap();
        let again = Experiment::<Fit>::parse("full.ron", &full).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert_eq!(again.print().unwrap(), full, "made up of\n{text}");
        longest = longest.max(full.len());
        read += 1;
    }
    // the dice know all sections, and lists are not always empty
    assert!(longest > 2000, "{longest}");
}

/// Chance, from a seed.
struct Dice(Stream);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0.below(end as u64) as usize
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Sections that must be there, and some of the others.
    fn experiment(&mut self, sections: &[Section]) -> Node {
        let mut root = Node::named("Experiment", Kind::Struct(Vec::new()));
        let mut metrics = Vec::new();
        for section in sections {
            let left_out = section.default.is_some() && self.once_in(2);
            match (section.path, left_out) {
                // the list has entries of fields and others
                ("metrics", _) => match &section.shape {
                    Shape::Struct(name, fields) if !left_out => {
                        metrics.push(Node { kind: self.fields(name, fields), ..Node::named(*name, Kind::Unit) });
                    }
                    _ => {}
                },
                (_, true) => {}
                ("train", _) => put(&mut root, "train", Node::new(self.plan())),
                ("name", _) => put(&mut root, "name", Node::new(Kind::Str("made-up".to_owned()))),
                (path, _) if section.absent && self.once_in(2) => {
                    let _ = path;
                }
                (path, _) => {
                    let value = self.value(&section.shape, None);
                    put(&mut root, path, value);
                }
            }
        }
        put(&mut root, "metrics", Node::new(Kind::Seq(metrics)));
        root
    }

    fn plan(&mut self) -> Kind {
        let mut fields = vec![Field::new("max_epochs", Node::new(Kind::Int(1 + self.below(50) as i128)))];
        if self.once_in(2) {
            fields.push(Field::new("accumulate", Node::new(Kind::Int(1 + self.below(4) as i128))));
        }
        if self.once_in(3) {
            fields.push(Field::new("clip", Node::named("Norm", Kind::Tuple(vec![self.float(None)]))));
        }
        Kind::Struct(fields)
    }

    fn value(&mut self, shape: &Shape, info: Option<&FieldInfo>) -> Node {
        let range = info.and_then(|info| info.demand);
        match shape {
            Shape::Bool => Node::new(Kind::Bool(self.once_in(2))),
            Shape::Int(name) => self.integer(name, range),
            Shape::Float => self.float(range),
            Shape::Text(_) => self.text(info.map_or("", |info| info.name)),
            Shape::FilePath => Node::new(Kind::Str(["/tmp/x", "a \"b\"", "ü/ö"][self.below(3)].to_owned())),
            Shape::Optional(inner) if self.once_in(2) => {
                let _ = inner;
                Node::named("None", Kind::Unit)
            }
            Shape::Optional(inner) => self.value(inner, info),
            Shape::List(item) => {
                let count = self.below(3);
                let mut items: Vec<Node> = (0..count).map(|_| self.value(item, info)).collect();
                if info.is_some_and(|info| info.name == "milestones") {
                    items = (0..=count).map(|index| Node::new(Kind::Int(1 + index as i128))).collect();
                }
                Node::new(Kind::Seq(items))
            }
            Shape::Tuple(items) => Node::new(Kind::Tuple(items.iter().map(|item| self.value(item, info)).collect())),
            Shape::Pairs(key, value) => {
                let pair = (self.value(key, None), self.value(value, None));
                Node::new(Kind::Map(if self.once_in(2) { vec![pair] } else { Vec::new() }))
            }
            Shape::Struct(name, fields) => Node::new(self.fields(name, fields)),
            Shape::Enum(variants) => {
                // a device that is not there is refused
                let (name, payload) = &variants[if variants[0].0 == "Cpu" { 0 } else { self.below(variants.len()) }];
                match payload {
                    Shape::Unit => Node::named(*name, Kind::Unit),
                    payload => {
                        let value = self.value(payload, info);
                        Node::named(*name, Kind::Tuple(vec![value]))
                    }
                }
            }
            Shape::Component(kind, names) => {
                // those that every run has can't be added
                let names: Vec<&str> = names
                    .iter()
                    .copied()
                    .filter(|name| DefaultHooks::NAMES.iter().all(|(known, _)| known != name))
                    .collect();
                let name = names[self.below(names.len())];
                let component = Component::find(kind, name).unwrap();
                let fields: Vec<(&str, Shape)> =
                    component.fields.iter().map(|info| (info.name, (info.shape)())).collect();
                Node { kind: self.fields(name, &fields), ..Node::named(name, Kind::Unit) }
            }
            Shape::Anything(_) => Node::new(Kind::Int(self.below(101) as i128)),
            other => panic!("nothing is made up for {other:?}"),
        }
    }

    /// The fields of a struct that have no default, and some of the others.
    fn fields(&mut self, name: &str, fields: &[(&str, Shape)]) -> Kind {
        let component = Component::of_struct(name, fields.iter().map(|(key, _)| *key)).or_else(|| {
            ["metric", "hook", "optimizer", "schedule", "sampler", "dataset"]
                .iter()
                .find_map(|kind| Component::find(kind, name))
        });
        let mut made = Vec::new();
        for (key, shape) in fields {
            let info = component.and_then(|component| component.fields.iter().find(|info| info.name == *key));
            let left_out = info.is_some_and(|info| info.default.is_some()) && !self.once_in(3);
            // their windows contradict each other more often than not
            let window = ["iters", "epochs", "samples", "by", "begin", "end", "groups", "setting"].contains(key);
            // each needs what another section may not have: workers, an optimizer with momentum
            let needy = *key == "transfer_ahead" || (*key == "momentum" && ["OneCycle", "Cyclic"].contains(&name));
            let contradicts =
                window || needy || *key == "shuffle" || *key == "dynamic_intervals" || *key == "monitor_all";
            if !left_out && !contradicts {
                made.push(Field::new(*key, self.value(shape, info)));
            }
        }
        Kind::Struct(made)
    }

    /// Within the range that the source gives.
    fn integer(&mut self, name: &str, range: Option<&str>) -> Node {
        let (least, most) = ends(range);
        let least: i128 = least.and_then(|end| end.parse().ok()).unwrap_or(if name.starts_with('i') { -3 } else { 0 });
        let most: i128 = most.and_then(|end| end.parse().ok()).unwrap_or(least + 9);
        Node::new(Kind::Int(least + self.below((most - least + 1).min(1000) as usize) as i128))
    }

    fn float(&mut self, range: Option<&str>) -> Node {
        let (least, most) = ends(range);
        let least: f64 = least.and_then(|end| end.parse().ok()).unwrap_or(0.0);
        let most: f64 = most.and_then(|end| end.parse().ok()).unwrap_or(least + 1.0);
        let share = [1e-9, 0.1, 1.0 / 3.0, 0.25, 0.7][self.below(5)];
        Node::new(Kind::Float(least + (most - least) * share))
    }

    fn text(&mut self, key: &str) -> Node {
        let texts: &[&str] = match key {
            // only this metric is there in any case
            "monitor" | "save_best" => &["val/loss"],
            _ => &["", "a b", "\"quoted\"", "line\nend", "tab\tü", "\\"],
        };
        Node::new(Kind::Str(texts[self.below(texts.len())].to_owned()))
    }
}

fn ends(range: Option<&str>) -> (Option<String>, Option<String>) {
    let end = |text: &str| Some(text.trim_start_matches('=').replace('_', "")).filter(|text| !text.is_empty());
    match range.and_then(|range| range.split_once("..")) {
        Some((least, most)) => (end(least), end(most)),
        None => (None, None),
    }
}

fn put(root: &mut Node, path: &str, value: Node) {
    let Kind::Struct(fields) = &mut root.kind else { panic!("no struct at {path}") };
    match path.split_once('.') {
        None => fields.push(Field::new(path, value)),
        Some((group, rest)) => {
            if fields.iter().all(|field| field.key != group) {
                fields.push(Field::new(group, Node::new(Kind::Struct(Vec::new()))));
            }
            let group = fields.iter_mut().find(|field| field.key == group).unwrap();
            put(&mut group.value, rest, value);
        }
    }
}
