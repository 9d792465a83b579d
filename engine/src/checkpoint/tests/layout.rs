//! The layout on disk: what others read of it, and what is refused.

use super::*;

#[test]
fn the_weights_are_a_plain_safetensors_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1).join("net.safetensors");
    let read = Tensor::read_safetensors(&path).unwrap();
    assert_eq!(read.len(), 2);
    let header = fs::read(&path).unwrap();
    assert_eq!(u64::from_le_bytes(header[..8].try_into().unwrap()) % 8, 0);
    let models = load_models(&path).unwrap();
    assert_eq!(models[0].0, "net");
    assert_eq!(models[0].1[1].0, "fc.weight");
    assert_eq!(load_models(path.parent().unwrap()).unwrap()[0].1.len(), 2);
}

/// As `safetensors.torch.save_file` writes them: notes of its own, tensors in any order, and counters of batch norm.
#[test]
fn a_file_that_pytorch_has_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("torch.safetensors");
    let header = concat!(
        r#"{"__metadata__":{"format":"pt"},"#,
        r#""norm.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#,
        r#""norm.bias":{"dtype":"F16","shape":[2],"data_offsets":[16,20]},"#,
        r#""norm.weight":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#
    );
    let numbers =
        [&20i64.to_le_bytes()[..], &1.5f32.to_le_bytes(), &(-2f32).to_le_bytes(), &[0, 0x3c, 0, 0xc0]].concat();
    fs::write(&path, [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &numbers].concat()).unwrap();
    let read = load_models(&path).unwrap().remove(0).1;
    let found: Vec<(&str, Vec<f64>)> = read
        .iter()
        .map(|(name, tensor)| (name.as_str(), Vec::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap()))
        .collect();
    let expected =
        [("norm.bias", vec![1.0, -2.0]), ("norm.num_batches_tracked", vec![20.0]), ("norm.weight", vec![1.5, -2.0])];
    assert_eq!(found, expected);
}

#[test]
fn meta_and_notes_come_back() {
    let mut snapshot = snapshot(7);
    snapshot.meta.notes.insert("trainer".to_owned(), "Digits".to_owned());
    let back = saved_and_loaded(&snapshot);
    assert_eq!(back.meta, Meta { names: vec!["one".to_owned()], ..snapshot.meta });
    assert_eq!((back.meta.epoch, back.meta.iter), (Epoch(1), Iter(7)));
}

#[test]
fn weights_that_evaluations_use_are_the_models_file_and_the_trained_ones_lie_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let (trained, average) = (tensor(Kind::Float), tensor(Kind::Float) + 1.0);
    let weights = Weights {
        evaluated: Some(vec![("w".to_owned(), average.shallow_clone())]),
        ..Weights::new("net", vec![("w".to_owned(), trained.shallow_clone())])
    };
    let path = save_as(dir.path(), "one", &with_models(vec![weights]));
    let of = |file: &str| load_models(&path.join(file)).unwrap().remove(0).1.remove(0).1;
    assert_eq!(of("net.safetensors"), average);
    assert_eq!(of("net.raw.safetensors"), trained);
    // who loads the checkpoint for an evaluation gets the same as who loads the file
    let models = load_models(&path).unwrap();
    assert_eq!((models[0].0.as_str(), models[0].1.len()), ("net", 1));
    assert_eq!(models[0].1[0].1, average);
    let back = load(&path).unwrap().models.remove(0);
    assert_eq!(back.trained[0].1, trained);
    assert_eq!(back.published()[0].1, average);
}

#[test]
fn a_state_that_a_file_of_weights_holds_is_written_once_and_read_as_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let average = tensor(Kind::Float) + 1.0;
    let weights = Weights {
        evaluated: Some(vec![("w".to_owned(), average.shallow_clone())]),
        ..Weights::new("net", vec![("w".to_owned(), tensor(Kind::Float))])
    };
    let mut snapshot = with_models(vec![weights]);
    snapshot.state.put("averages", &[average.shallow_clone(), average.transpose(0, 1)]);
    for (name, snapshot) in [("live", &snapshot), ("host", &snapshot.to_host().unwrap())] {
        let path = save_as(dir.path(), name, snapshot);
        let own = load_models(&path.join("run/state.safetensors")).unwrap().remove(0).1;
        // the transposed one has another order of elements, so it is another tensor
        assert_eq!(own.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["/averages/1"], "{name}");
        let mut back = load(&path).unwrap();
        let [mut held, transposed] = back.state.take::<[Tensor; 2]>("averages").unwrap();
        assert_eq!(held, average);
        assert_eq!(transposed, average.transpose(0, 1));
        let _ = held.fill_(0.0);
        assert_eq!(back.models[0].published()[0].1, average, "{name}: changed with the state");
    }
}

/// They share their memory, their shape and their strides with the weights, and have other values.
#[test]
fn a_conjugated_view_of_a_weight_in_a_state_is_no_weight() {
    let dir = tempfile::tempdir().unwrap();
    let weight = Tensor::complex(&tensor(Kind::Float), &(tensor(Kind::Float) + 1.0));
    let mut snapshot = with_models(vec![Weights::new("net", vec![("w".to_owned(), weight.shallow_clone())])]);
    snapshot.state.put("views", &[weight.conj(), weight.narrow(0, 0, 1).expand([2, 4], false)]);
    for (name, snapshot) in [("live", &snapshot), ("host", &snapshot.to_host().unwrap())] {
        let mut back = load(&save_as(dir.path(), name, snapshot)).unwrap();
        let [conjugated, expanded] = back.state.take::<[Tensor; 2]>("views").unwrap();
        assert_eq!(bits(&conjugated), bits(&own(&weight.conj())), "{name}");
        assert_eq!(bits(&expanded), bits(&own(&weight.narrow(0, 0, 1).expand([2, 4], false))), "{name}");
        assert_eq!(bits(&back.models[0].trained[0].1), bits(&weight), "{name}");
    }
}

#[test]
fn a_snapshot_on_the_host_is_written_by_another_thread_while_the_weights_change() {
    let dir = tempfile::tempdir().unwrap();
    let mut weight = tensor(Kind::Float);
    let mut snapshot = with_models(vec![Weights::new("net", vec![("w".to_owned(), weight.shallow_clone())])]);
    snapshot.state.put("seen", &weight.shallow_clone());
    let kept = snapshot.to_host().unwrap();
    let _ = weight.fill_(-1.0);
    let path = dir.path().to_owned();
    let path = std::thread::spawn(move || save_as(&path, "one", &kept)).join().unwrap();
    let mut back = load(&path).unwrap();
    assert_eq!(back.models[0].trained[0].1, tensor(Kind::Float));
    assert_eq!(back.state.take::<Tensor>("seen").unwrap(), tensor(Kind::Float));
}

#[test]
fn each_rank_has_a_part_of_its_own() {
    let part = |value: i64| {
        let mut part = StateMap::new();
        part.put("generator", &Tensor::from_slice(&[value]));
        part
    };
    let dir = tempfile::tempdir().unwrap();
    let path = save_as(dir.path(), "one", &Snapshot { ranks: vec![part(10), part(11)], ..snapshot(1) });
    assert_eq!(listing(&path.join("ranks")), ["0", "1"]);
    let mut back = load(&path).unwrap();
    assert_eq!(back.meta.ranks, 2);
    for (rank, part) in back.ranks.iter_mut().enumerate() {
        assert_eq!(part.take::<Tensor>("generator").unwrap().int64_value(&[0]), 10 + rank as i64);
    }
    // a part that is lost makes the whole unreadable
    fs::remove_file(path.join("ranks/1/state.ron")).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("ranks/1/state.ron"));
}

#[test]
fn the_version_stands_in_the_meta_file() {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(save_at(dir.path(), 1).join(META)).unwrap();
    assert!(text.contains("version: 2,"), "{text}");
}

#[test]
fn another_format_is_refused_by_its_number_and_nothing_older_is_taken_instead() {
    let dir = tempfile::tempdir().unwrap();
    save_at(dir.path(), 1);
    let path = save_at(dir.path(), 2);
    for (version, advice) in [(1, "name its `.safetensors` file"), (99, "or a newer one")] {
        fs::write(path.join(MANIFEST), format!("engine checkpoint {version}\n…")).unwrap();
        for error in [load(&path).unwrap_err(), newest_valid(dir.path()).unwrap_err()] {
            let error = error.to_string();
            assert!(error.contains(&format!("has format {version}, and this engine reads format 2")), "{error}");
            assert!(error.contains(advice), "{error}");
        }
    }
}

/// As format 1 wrote it: `manifest`, `meta.ron`, `state.ron` and `state.safetensors` side by side.
#[test]
fn a_checkpoint_of_format_1_is_refused_by_name_and_its_weights_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("iter_000000010");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checkpoint/tests/format_1");
    fs::create_dir(&path).unwrap();
    for name in listing(&fixture) {
        fs::copy(fixture.join(&name), path.join(&name)).unwrap();
    }
    for error in [load(&path).unwrap_err(), load_models(&path).unwrap_err(), newest_valid(dir.path()).unwrap_err()] {
        assert!(matches!(error, CheckpointError::Format { found: 1, known: 2, .. }), "{error}");
    }
    assert_eq!(load_models(&path.join("net.safetensors")).unwrap()[0].0, "net");
}
