//! Threads that read ahead.

use super::*;
use std::time::Instant;

#[test]
fn the_batches_are_the_same_for_any_number_of_workers() {
    let passes = |workers: Workers| {
        let slow = Numbers { millis: 2, ..numbers(37) };
        let mut loader = open(&LoaderConfig { workers, ..config(slow, 4, 0) });
        (0..3).map(|number| pass(&mut loader, number)).collect::<Vec<_>>()
    };
    let alone = passes(0.into());
    assert_ne!(alone[0], alone[1]);
    assert_eq!(alone[0].len(), 10);
    for workers in [1.into(), 3.into(), Workers::Auto] {
        assert_eq!(passes(workers), alone, "{workers}");
    }
}

#[test]
fn workers_read_no_further_ahead_than_they_may() {
    let data = numbers(1000);
    let gets = data.gets.clone();
    let mut loader = open(&LoaderConfig { prefetch: 2, ..config(data, 5, 2) });
    loader.next_batch().unwrap();
    // the batch that was taken, and 2 for each of 2 workers
    let most = (1 + 2 * 2) * 5;
    let begun = Instant::now();
    while gets.load(Ordering::SeqCst) < most && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(gets.load(Ordering::SeqCst), most);
}

#[test]
fn dropping_a_busy_loader_does_not_wait_for_it() {
    // each worker is in a sample of one minute
    let mut loader = open(&config(Numbers { millis: 60_000, ..numbers(40) }, 4, 3));
    loader.start(Cursor::default()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    drop(loader);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn dropping_a_loader_ends_its_workers() {
    let data = Numbers { millis: 5, ..numbers(400) };
    let gets = data.gets.clone();
    let mut loader = open(&LoaderConfig { prefetch: 50, ..config(data, 4, 3) });
    loader.next_batch().unwrap();
    drop(loader);
    let after = gets.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(gets.load(Ordering::SeqCst), after);
    assert!(after < 200, "{after} samples were read of batches that nobody wanted");
    assert_eq!(std::sync::Arc::strong_count(&gets), 1, "a worker still holds the dataset");
}
