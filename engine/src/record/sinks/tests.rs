//! Sinks that fail, panic, and keep a state.

use super::*;
use crate::base::state::{State, StateError};
use crate::record::{Moment, RowPhase, Value};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

type Lines = Arc<Mutex<Vec<String>>>;

/// Keeps what it is told, and counts values as its state.
#[derive(Default)]
struct Kept {
    lines: Lines,
    taken: u64,
}

impl Sink for Kept {
    fn takes(&self, kind: ValueKind) -> bool {
        kind == ValueKind::Number
    }
    fn event(&mut self, event: &Event) -> Result<()> {
        self.taken += 1;
        self.lines.lock().unwrap().push(format!("{} {:?}", event.key(), event.value));
        Ok(())
    }
    fn line(&mut self, text: &str) -> Result<()> {
        self.lines.lock().unwrap().push(text.to_owned());
        Ok(())
    }
}

impl State for Kept {
    fn save_state(&self) -> StateMap {
        let mut state = StateMap::new();
        state.put("taken", &self.taken);
        state
    }
    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        self.taken = state.take("taken")?;
        Ok(())
    }
}

/// A tracker that is never there.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tracker {
    required: bool,
    panics: bool,
}

impl Sink for Tracker {
    fn event(&mut self, _: &Event) -> Result<()> {
        match self.panics {
            true => panic!("no network"),
            false => Err(Error::msg("no server")),
        }
    }
}

impl State for Tracker {
    fn save_state(&self) -> StateMap {
        StateMap::new()
    }
    fn load_state(&mut self, _: StateMap) -> Result<(), StateError> {
        Ok(())
    }
}

#[typetag::serde(name = "TestTracker")]
impl SinkConfig for Tracker {
    fn build_sink(&self) -> Box<dyn Sink> {
        Box::new(self.clone())
    }
    fn required(&self) -> bool {
        self.required
    }
}

fn row(values: &[(&str, f64)]) -> Row {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Row { phase: RowPhase::Train, loader: None, at: Moment::default(), values }
}

fn with_tracker(required: bool, panics: bool) -> (Sinks, Lines) {
    let (mut sinks, kept) = (Sinks::new(), Kept::default());
    let lines = kept.lines.clone();
    sinks.push_chosen(&Tracker { required, panics });
    sinks.push("kept", kept);
    sinks.open(&RunInfo::new("run", "")).unwrap();
    (sinks, lines)
}

#[test]
fn a_tracker_that_fails_is_told_once_and_left() {
    for panics in [false, true] {
        let (mut sinks, lines) = with_tracker(false, panics);
        sinks.row(&row(&[("loss", 1.0)])).unwrap();
        sinks.row(&row(&[("loss", 2.0)])).unwrap();
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].starts_with("warning: the sink `TestTracker` has failed, the run goes on without it: "));
        assert!(lines[1].ends_with(if panics { ": no network" } else { ": no server" }), "{lines:?}");
        assert_eq!((lines[0].as_str(), lines[2].as_str()), ("train/loss Number(1.0)", "train/loss Number(2.0)"));
    }
}

#[test]
fn a_required_sink_that_fails_is_an_error_after_all_others_were_served() {
    let (mut sinks, lines) = with_tracker(true, false);
    let error = sinks.row(&row(&[("loss", 1.0)])).unwrap_err();
    assert_eq!(format!("{error:#}"), "the sink `TestTracker` has failed, and it is marked `required`: no server");
    assert_eq!(lines.lock().unwrap().len(), 1);
}

#[test]
fn a_value_goes_to_those_that_take_its_kind_alone() {
    let (mut sinks, lines) = with_tracker(false, false);
    let text = Event {
        phase: RowPhase::Val,
        loader: None,
        at: Moment::default(),
        name: "note".to_owned(),
        value: Value::Text("hello".to_owned()),
    };
    assert!(sinks.takes(ValueKind::Text), "the tracker takes all");
    sinks.event(&text).unwrap();
    assert!(!sinks.takes(ValueKind::Text), "it is left now");
    assert_eq!(lines.lock().unwrap().len(), 1);
    assert!(sinks.is_first_untaken(ValueKind::Text) && !sinks.is_first_untaken(ValueKind::Text));
}

#[test]
fn a_row_with_two_values_of_one_name_reaches_no_sink() {
    let (mut sinks, lines) = with_tracker(false, false);
    assert!(sinks.row(&row(&[("loss", 1.0), ("loss", 2.0)])).is_err());
    assert!(lines.lock().unwrap().is_empty());
}

#[test]
fn states_come_back_by_name_and_number_and_nothing_is_taken_before_the_opening() {
    let mut sinks = Sinks::new();
    sinks.push_closed("kept", Kept { taken: 3, ..Kept::default() }, true);
    sinks.push_closed("kept", Kept { taken: 4, ..Kept::default() }, true);
    sinks.row(&row(&[("loss", 1.0)])).unwrap();
    let mut state = StateMap::new();
    sinks.states().iter().for_each(|(key, of)| state.put(key, of));
    let mut again = Sinks::new();
    again.push_closed("kept", Kept::default(), true);
    again.push_closed("kept", Kept::default(), true);
    again.load_states(state).unwrap();
    let taken = again.states().into_iter().map(|(key, mut of)| (key, of.take::<u64>("taken").unwrap()));
    assert_eq!(taken.collect::<Vec<_>>(), [("kept".to_owned(), 3), ("kept.1".to_owned(), 4)]);
}
