//! Going to a place in the data.

use super::*;
use crate::base::state::Saved as _;

#[test]
fn going_to_a_sample_is_as_if_the_loader_had_come_there() {
    for workers in [0, 3] {
        let config = config(numbers(37), 4, workers);
        let mut one = open(&config);
        one.start(Cursor { pass: 2, sample: 0 }).unwrap();
        let before = rest(&mut one, 6);
        assert_eq!(before.len(), 6);
        let cursor = Cursor::restore(one.cursor().save()).unwrap();
        assert_eq!((cursor, one.batches_left()), (Cursor { pass: 2, sample: 24 }, Some(4)));
        let mut other = open(&config);
        other.start(cursor).unwrap();
        assert_eq!(rest(&mut other, 99), rest(&mut one, 99));
        assert_eq!((other.cursor(), other.batches_left()), (Cursor { pass: 3, sample: 0 }, Some(0)));
    }
}

#[test]
fn with_another_batch_size_the_samples_are_dealt_on_from_where_the_loader_stood() {
    for workers in [0, 2] {
        let mut whole = open(&config(numbers(37), 37, 0));
        let whole = [flat(pass(&mut whole, 0)), flat(pass(&mut whole, 1))].concat();
        let mut first = open(&config(numbers(37), 4, workers));
        let before = flat(rest(&mut first, 3));
        let mut later = open(&config(numbers(37), 7, workers));
        later.start(first.cursor()).unwrap();
        assert_eq!((later.cursor(), later.batches_left()), (Cursor { pass: 0, sample: 12 }, Some(4)));
        let after = rest(&mut later, 99);
        assert_eq!(after.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 4], "the last one ends with the pass");
        assert!(later.next_batch().unwrap().is_none());
        later.start(later.cursor()).unwrap();
        assert_eq!([before, flat(after), flat(rest(&mut later, 99))].concat(), whole);
    }
}

#[test]
fn going_to_a_sample_reads_none_before_it() {
    let data = numbers(1000);
    let gets = data.gets.clone();
    let mut loader = open(&config(data, 10, 0));
    loader.start(Cursor { pass: 3, sample: 980 }).unwrap();
    assert_eq!(rest(&mut loader, 99).len(), 2);
    assert_eq!(gets.load(Ordering::SeqCst), 20);
}

#[test]
fn starting_again_in_the_middle_drops_what_was_made_ahead() {
    let mut loader = open(&config(Numbers { millis: 1, ..numbers(40) }, 4, 3));
    let whole = pass(&mut loader, 0);
    loader.start(Cursor { pass: 1, sample: 0 }).unwrap();
    rest(&mut loader, 2);
    assert_eq!(pass(&mut loader, 0), whole);
    loader.stop();
    assert_eq!(pass(&mut loader, 0), whole);
}

#[test]
fn a_position_behind_the_end_is_refused() {
    let mut loader = open(&config(numbers(10), 4, 0));
    loader.start(Cursor { pass: 0, sample: 10 }).unwrap();
    assert!(loader.next_batch().unwrap().is_none());
    let error = loader.start(Cursor { pass: 0, sample: 11 }).unwrap_err();
    assert!(matches!(data_error(&error), DataError::Cursor { sample: 11, samples: 10, .. }));
}
