//! Values that refer to others: in one file, over bases, by the command line; and generated ones.

use super::super::{Document, Kind, Node, load_with, parse_text, print_line};
use super::generated::Random;
use super::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

/// The files of one test, and the folder that they lie in.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn layered(files: &[(&str, &str)], sets: &[&str]) -> Document {
    load_with(&folder(files).path().join("exp.ron"), sets).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What the value at a path is, in one line.
fn at(document: &Document, path: &str) -> String {
    let value = document.root.find(path).unwrap_or_else(|| panic!("nothing at {path} in\n{}", document.show()));
    print_line(value)
}

fn mistakes(text: &str) -> Vec<String> {
    let document = parse_text("exp.ron", text).unwrap().resolved();
    document.read::<Experiment>().unwrap_err().short()
}

#[test]
fn a_reference_stands_for_any_value_and_is_typed_where_it_lands() {
    let text = r#"(
        name: Ref("tags.run"), tags: {"run": "a"}, seed: Ref("train.milestones.1"),
        optimizer: AdamW(lr: Ref("seed"), betas: (Ref("custom_hooks.Ema.decay"), 0.5), schedule: Cosine(iters: Ref("seed"))),
        custom_hooks: [Ema(decay: 0.25), Clip(Ref("optimizer.lr")), Ref("teacher")],
        teacher: Checkpoint(interval: 7, then: [Ref("custom_hooks.0")]),
        train: (max_epochs: 3, milestones: [1, 2]),
    )"#;
    let document = parse_text("exp.ron", text).unwrap().resolved();
    let read: Experiment = document.read().unwrap();
    assert_eq!((read.name.as_str(), read.seed), ("a", 2));
    let optimizer = format!("{:?}", read.optimizer);
    assert!(optimizer.contains("lr: 2.0, betas: (0.25, 0.5)") && optimizer.contains("iters: 2"), "{optimizer}");
    let checkpoint = "Checkpoint(interval: 7, then: [Ema(decay: 0.25)])";
    assert_eq!(at(&document, "custom_hooks"), format!("[Ema(decay: 0.25), Clip(2), {checkpoint}]"));
    assert_eq!(at(&document, "teacher"), checkpoint);
}

#[test]
fn a_reference_takes_what_the_last_layer_says() {
    let files = [
        ("base.ron", r#"(seed: 1, train: (max_epochs: Ref("seed")), optimizer: AdamW(lr: 1), teacher: Ref("second"))"#),
        ("exp.ron", r#"(base: "base.ron", seed: 2, second: Ema(decay: 0.5))"#),
    ];
    assert_eq!(at(&layered(&files, &[]), "train.max_epochs"), "2");
    let set = layered(&files, &["seed=5", "optimizer.lr=Mul(Ref(\"seed\"), 0.5)", "second.decay=0.75"]);
    assert_eq!(at(&set, "train.max_epochs"), "5");
    assert_eq!(at(&set, "optimizer.lr"), "2.5");
    assert_eq!(at(&set, "teacher"), "Ema(decay: 0.75)");
}

#[test]
fn layers_over_a_reference_change_what_it_leads_to_there_alone() {
    let files = [
        (
            "base.ron",
            r#"(first: Ema(decay: 0.5), list: [Ema, Timer], teacher: Ref("first"), custom_hooks: Ref("list"))"#,
        ),
        ("exp.ron", r#"(base: "base.ron", teacher: (level: LOW), custom_hooks: Append([Clip(1)]))"#),
    ];
    let document = layered(&files, &["teacher.decay=0.75", "custom_hooks.Ema.decay=0.25", "custom_hooks.1=Clip(2)"]);
    assert_eq!(at(&document, "teacher"), "Ema(decay: 0.75, level: LOW)");
    assert_eq!(at(&document, "first"), "Ema(decay: 0.5)");
    assert_eq!(at(&document, "custom_hooks"), "[Ema(decay: 0.25), Clip(2), Clip(1)]");
    assert_eq!(at(&document, "list"), "[Ema, Timer]");
    // a value with a name, or a scalar, takes the place of the reference
    let replaced = layered(&files, &["teacher=Clip(3)", "custom_hooks=[]"]);
    assert_eq!((at(&replaced, "teacher"), at(&replaced, "custom_hooks")), ("Clip(3)".into(), "[]".into()));
    // `()` says nothing
    let same = layered(&[files[0], ("exp.ron", "(base: \"base.ron\", teacher: ())")], &[]);
    assert_eq!(at(&same, "teacher"), "Ema(decay: 0.5)");
    // what was set leads further, too
    let further = layered(&files, &["teacher.level=Ref(\"level\")", "level=30", "again=Ref(\"teacher.level\")"]);
    assert_eq!((at(&further, "teacher.level"), at(&further, "again")), ("30".into(), "30".into()));
}

#[test]
fn a_path_stays_relative_to_the_file_that_wrote_it() {
    let files = [
        ("exp.ron", r#"(base: "sub/base.ron", name: "x", optimizer: Sgd(lr: 1, momentum: 0), data: Ref("folder"))"#),
        ("sub/base.ron", r#"(folder: Ref("inner"), inner: "set.bin")"#),
    ];
    let folder = folder(&files);
    let document = load_with::<&str>(&folder.path().join("exp.ron"), &[]).unwrap();
    let data = document.root.get("data").unwrap();
    let path: PathBuf = super::super::from_node(data, &document.sources, &super::super::Diagnostics::new()).unwrap();
    assert_eq!(path, folder.path().join("sub/set.bin"));
}

#[test]
fn show_tells_both_ends() {
    let files = [(
        "exp.ron",
        "(\nseed: 7,\ntrain: (max_epochs: Mul(Ref(\"seed\"), 2)),\nteacher: Ref(\"ema\"),\nema: Ema(decay: 0.5),\n)",
    )];
    let folder = folder(&files);
    let shown = load_with::<&str>(&folder.path().join("exp.ron"), &[]).unwrap().show();
    let shown = shown.replace(&format!("{}/", folder.path().display()), "");
    assert!(shown.contains("max_epochs: 14,  // exp.ron:3:21, from seed at exp.ron:2:7\n"), "{shown}");
    let teacher =
        "teacher: Ema(\n        decay: 0.5,  // exp.ron:5:17\n    ),  // exp.ron:4:10, from ema at exp.ron:5:6\n";
    assert!(shown.contains(teacher), "{shown}");
}

/// Texts that would otherwise be copied without an end, or overrun the stack.
#[test]
fn hostile_references_are_refused_in_a_moment() {
    let started = std::time::Instant::now();
    // each list holds the next one twice
    let doubled: String = (0..40).map(|n| format!("a{n}: [Ref(\"a{}\"), Ref(\"a{}\")],", n + 1, n + 1)).collect();
    let found = mistakes(&format!("({doubled} a40: 1)"));
    assert!(found.iter().any(|line| line.contains("more than 32 references lead from one to the next")), "{found:?}");
    let tenfold: String = (0..9).map(|n| format!("a{n}: [{}],", format!("Ref(\"a{}\"),", n + 1).repeat(10))).collect();
    let found = mistakes(&format!("({tenfold} a9: 1)"));
    assert!(found.iter().any(|line| line.contains("more values than any experiment has")), "{found:?}");
    // as many as a file can hold, each one the next
    let chain: String = (0..40_000).map(|n| format!("a{n}: Ref(\"a{}\"),", n + 1)).collect();
    assert!(!mistakes(&format!("({chain} a40000: 1)")).is_empty());
    let circle: String = (0..10_000).map(|n| format!("a{n}: Ref(\"a{}\"),", (n + 1) % 10_000)).collect();
    assert!(!mistakes(&format!("({circle})")).is_empty());
    // deeper and deeper
    let deep: String =
        (0..30).map(|n| format!("a{n}: {}Ref(\"a{}\"){},", "[".repeat(100), n + 1, "]".repeat(100))).collect();
    let found = mistakes(&format!("({deep} a30: 1)"));
    assert!(found.iter().any(|line| line.contains("nested more than 128 levels deep")), "{found:?}");
    let sums = |n: usize| format!("a{n}: {}Ref(\"a{}\"){},", "Add(1, ".repeat(100), n + 1, ")".repeat(100));
    let found = mistakes(&format!("({} a30: 1)", (0..30).map(sums).collect::<String>()));
    assert!(found.iter().any(|line| line.contains("nested more than 128 levels deep")), "{found:?}");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// What a graph of references comes to, by another way: each name is looked up until a number is found.
fn model(values: &BTreeMap<String, Result<i128, String>>, name: &str) -> Option<i128> {
    let mut name = name.to_owned();
    for _ in 0..=values.len() {
        match values.get(&name)? {
            Ok(number) => return Some(*number),
            Err(next) => name = next.clone(),
        }
    }
    None
}

#[test]
fn generated_graphs_give_the_numbers_that_following_them_by_hand_gives() {
    let (mut whole, mut wrong) = (0, 0);
    for seed in 0..3_000 {
        let mut random = Random::new(seed);
        let count = 1 + random.below(12);
        let mut values = BTreeMap::new();
        for index in 0..count {
            let value = match random.below(5) {
                0 | 1 => Ok(random.integer(64)),
                // sometimes to a name that is not there
                _ => {
                    let absent = usize::from(random.one_in(8));
                    Err(format!("v{}", random.below(count + absent)))
                }
            };
            values.insert(format!("v{index}"), value);
        }
        let field = |(name, value): (&String, &Result<i128, String>)| match value {
            Ok(number) => format!("{name}: {number},"),
            Err(next) => format!("{name}: Ref(\"{next}\"),"),
        };
        let text = format!("({})", values.iter().map(field).collect::<String>());
        let document = parse_text("graph.ron", &text).unwrap().resolved();
        let read = document.read::<BTreeMap<String, i128>>();
        let expected: Option<BTreeMap<String, i128>> =
            values.keys().map(|name| Some((name.clone(), model(&values, name)?))).collect();
        match (expected, read) {
            (Some(expected), Ok(read)) => {
                assert_eq!(read, expected, "seed {seed}: {text}");
                whole += 1;
            }
            (None, Err(errors)) => {
                let text_of_all = errors.short().join("\n");
                assert!(
                    text_of_all.contains("nothing is written at")
                        || text_of_all.contains("references form a circle")
                        || text_of_all.contains("refers to itself"),
                    "seed {seed}: {text_of_all}"
                );
                wrong += 1;
            }
            (expected, read) => panic!("seed {seed}: {expected:?} {read:?}\n{text}"),
        }
    }
    assert!(whole > 300 && wrong > 300, "{whole} {wrong}");
}

/// Every part of a tree.
fn parts<'n>(node: &'n mut Node, found: &mut Vec<&'n mut Node>, random: &mut Random) {
    if random.one_in(4) {
        found.push(node);
        return;
    }
    match &mut node.kind {
        Kind::Struct(fields) => fields.iter_mut().for_each(|field| parts(&mut field.value, found, random)),
        Kind::Seq(items) | Kind::Tuple(items) => items.iter_mut().for_each(|item| parts(item, found, random)),
        Kind::Map(pairs) => pairs.iter_mut().for_each(|(_, value)| parts(value, found, random)),
        _ => {}
    }
}

#[test]
fn a_value_that_is_written_elsewhere_and_referred_to_is_read_as_in_its_place() {
    const TEXTS: [&str; 3] = [
        r#"Experiment(name: "a", seed: 3, optimizer: AdamW(lr: 1e-3, betas: (0.9, 0.99), schedule: Cosine(iters: 5)), custom_hooks: [Ema, Clip(0.5)])"#,
        r#"(name: "b", optimizer: Sgd(lr: 1, momentum: 0.5), teacher: Some(Ema(decay: 0.5)), tags: {"x": "y"}, data: "/d")"#,
        r#"(name: "c", optimizer: Sgd(lr: 1, momentum: 0.5), custom_hooks: [Checkpoint(interval: 2, keep: 3, then: [Timer, Dump(folders: ["/a"], log: None)])], train: (max_epochs: 1, compile: true, milestones: [1, 2, 3]))"#,
    ];
    let mut moved_values = 0;
    for seed in 0..2_000 {
        let mut random = Random::new(seed);
        let text = random.pick(&TEXTS);
        let plain = parse_text("plain.ron", text).unwrap();
        let mut moved = plain.clone();
        let mut elsewhere = Vec::new();
        if let Kind::Struct(fields) = &mut moved.root.kind {
            let mut found = Vec::new();
            fields.iter_mut().for_each(|field| parts(&mut field.value, &mut found, &mut random));
            for (index, node) in found.into_iter().enumerate() {
                // some by way of a second reference
                let far = format!("elsewhere.{index}.0");
                let reference = |path: String| Node::named("Ref", Kind::Tuple(vec![Node::new(Kind::Str(path))]));
                let value = std::mem::replace(node, reference(far));
                let near = match random.one_in(3) {
                    true => reference(format!("elsewhere.{index}.1")),
                    false => value.clone(),
                };
                elsewhere.push(Node::new(Kind::Seq(vec![near, value])));
                moved_values += 1;
            }
        }
        let written = super::super::print(&moved.root);
        let mut document = parse_text("moved.ron", &written).unwrap();
        document.root.put("elsewhere", Node::new(Kind::Seq(elsewhere))).unwrap();
        let mut document = document.resolved();
        if let Kind::Struct(fields) = &mut document.root.kind {
            fields.retain(|field| field.key != "elsewhere");
        }
        assert_eq!(print_line(&document.root), print_line(&plain.root), "seed {seed}");
        let (read, expected) = (document.read::<Experiment>(), plain.read::<Experiment>());
        let read = read.unwrap_or_else(|errors| panic!("seed {seed}: {errors}\n{written}"));
        assert_eq!(format!("{read:?}"), format!("{:?}", expected.unwrap()), "seed {seed}");
    }
    assert!(moved_values > 3_000, "{moved_values}");
}
