//! libtorch's generators and switches, which the whole process shares.

use crate::support::{ByIter, Setup, Toyed as _, alone};
use engine::base::Output;
use engine::native::{
    AnomalyGuard, Determinism, DeviceReads, ErrorKind, determinism, generator_state, set_deterministic,
    set_generator_state,
};
use engine::optim::{Clip, NonFinite};
use engine::phase::Phase;
use engine::record::RowPhase;
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

#[test]
fn a_restored_generator_repeats_its_numbers_to_the_bit() {
    let _alone = alone();
    let draw = || Vec::<f32>::try_from(Tensor::randn([100], (Kind::Float, Device::Cpu))).unwrap();
    let state = generator_state(Device::Cpu).unwrap();
    assert_eq!((state.size(), state.kind()), (vec![5056], Kind::Uint8));
    let (first, second) = (draw(), draw());
    assert_ne!(first, second);
    set_generator_state(Device::Cpu, &state).unwrap();
    assert_eq!((draw(), draw()), (first, second));
}

#[test]
fn a_tensor_that_is_no_generator_state_is_refused() {
    let _alone = alone();
    assert!(set_generator_state(Device::Cpu, &Tensor::from_slice(&[1u8, 2, 3])).is_err());
    assert!(set_generator_state(Device::Cpu, &Tensor::from_slice(&[1.0f32])).is_err());
}

#[test]
fn a_generator_of_a_device_that_is_not_there_is_an_error() {
    let _alone = alone();
    assert!(generator_state(Device::Cuda(100)).is_err());
    assert_eq!(generator_state(Device::Cuda(1000)).unwrap_err().kind, ErrorKind::Argument);
}

#[test]
fn anomaly_mode_names_the_operator_and_ends_with_its_guard() {
    let _alone = alone();
    let backward_to_nan = || {
        let x = Tensor::full([1], -1.0, (Kind::Float, Device::Cpu)).set_requires_grad(true);
        x.sqrt().f_backward()
    };
    let guard = AnomalyGuard::new(true);
    let error = backward_to_nan().unwrap_err().to_string();
    drop(guard);
    assert!(error.contains("SqrtBackward0") && error.contains("nan"), "{error}");
    assert!(backward_to_nan().is_ok());
}

#[test]
fn the_level_of_determinism_is_what_was_set() {
    let _alone = alone();
    for level in [Determinism::Strict, Determinism::Warn, Determinism::Off] {
        set_deterministic(level).unwrap();
        assert_eq!(determinism(), level);
    }
}

#[test]
fn no_operator_of_an_iter_reads_a_value_between_two_rows() {
    let _alone = alone();
    let reads_of = |reading: bool, non_finite: NonFinite| {
        // not Adam: its fused kernel for the CPU reads the step counts, which that for CUDA leaves on the device
        let mut setup = Setup { adam: false, logger: "(interval: 5)", ..Setup::iters(20) };
        setup.train.clip = Some(Clip::Norm(1.0));
        setup.train.non_finite = non_finite;
        let mut driver = setup.full::<ByIter>();
        let (rows, _) = driver.keep_rows();
        if reading {
            driver.toy().on_train = Some(Box::new(|output: Output, _| {
                output.loss()?.double_value(&[]);
                Ok(output)
            }));
        }
        let reads = Rc::new(RefCell::new(Vec::new()));
        let (kept, mut counting) = (reads.clone(), None);
        driver.on(move |phase, _| {
            match phase {
                Phase::BeforeTrainIter => counting = Some(DeviceReads::count()?),
                Phase::AfterOptimizerStep => kept.borrow_mut().extend(counting.take().map(|count| count.so_far())),
                _ => {}
            }
            Ok(())
        });
        driver.train_all().unwrap();
        assert_eq!(rows.lock().unwrap().iter().filter(|row| row.phase == RowPhase::Train).count(), 4);
        reads.take()
    };
    for non_finite in [NonFinite::Apply, NonFinite::Skip, NonFinite::Stop] {
        assert_eq!(reads_of(false, non_finite), [0; 20], "{non_finite:?}");
    }
    // a step that reads its loss is seen
    assert_eq!(reads_of(true, NonFinite::Apply), [1; 20]);
}
