//! What readers read, and what they refuse.

#[cfg(feature = "images")]
mod folder;
#[cfg(all(feature = "images", feature = "tar"))]
mod image_shards;
mod lines;
#[cfg(feature = "tar")]
mod shards;

use super::*;
use crate::data::{Dataset as _, Loader, LoaderConfig};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/data/files/fixtures").join(name)
}

/// A file with this content, and the folder that it is in until the test ends.
fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, content).unwrap();
    (dir, path)
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double).flatten(0, -1)).unwrap()
}

/// Bytes of kind `code` in one dimension for each size, and the data.
fn idx(code: u8, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let sizes_bytes: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
    [&[0, 0, code, sizes.len() as u8][..], &sizes_bytes, data].concat()
}

#[test]
fn an_idx_file_of_every_kind_is_read_packed_or_not() {
    let floats: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|x| x.to_be_bytes()).collect();
    let doubles: Vec<u8> = [1e300f64].iter().flat_map(|x| x.to_be_bytes()).collect();
    for (content, kind, shape, expected) in [
        (
            idx(0x08, &[2, 1, 3], &[0, 1, 2, 3, 4, 255]),
            Kind::Uint8,
            vec![2, 1, 3],
            vec![0.0, 1.0, 2.0, 3.0, 4.0, 255.0],
        ),
        (idx(0x09, &[2], &[0xff, 1]), Kind::Int8, vec![2], vec![-1.0, 1.0]),
        (idx(0x0b, &[2], &[0xff, 0xfe, 1, 0]), Kind::Int16, vec![2], vec![-2.0, 256.0]),
        (idx(0x0c, &[1], &[0, 0, 1, 2]), Kind::Int, vec![1], vec![258.0]),
        (idx(0x0d, &[2], &floats), Kind::Float, vec![2], vec![1.5, -2.0]),
        (idx(0x0e, &[1], &doubles), Kind::Double, vec![1], vec![1e300]),
        (idx(0x08, &[0, 28, 28], &[]), Kind::Uint8, vec![0, 28, 28], vec![]),
    ] {
        for content in [packed(&content), content] {
            let (_dir, path) = file(&content);
            let tensor = read_idx(&path).unwrap();
            assert_eq!((tensor.kind(), tensor.size(), numbers(&tensor)), (kind, shape.clone(), expected.clone()));
        }
    }
}

#[test]
fn every_cut_of_an_idx_file_and_every_byte_too_many_is_an_error() {
    let whole = idx(0x08, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    for content in [packed(&whole), whole] {
        for end in 0..content.len() {
            let (_dir, path) = file(&content[..end]);
            let error = read_idx(&path).unwrap_err().to_string();
            assert!(error.contains("can't be read as IDX"), "{end} bytes: {error}");
        }
    }
    let more = idx(0x08, &[2], &[1, 2, 3]);
    for content in [packed(&more), more] {
        let (_dir, path) = file(&content);
        assert!(read_idx(&path).unwrap_err().to_string().ends_with("2 bytes, and more follow"));
    }
}

#[test]
fn hostile_idx_files_are_refused_and_take_no_memory() {
    let mut flipped = packed(&idx(0x08, &[4], &[1, 2, 3, 4]));
    // the checksum at the end
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    for (content, expected) in [
        (vec![], "it ends within its first 4 bytes"),
        (b"PNG image".to_vec(), "it does not begin with two bytes 0"),
        (idx(0x07, &[1], &[1]), "its kind of numbers is 0x07"),
        (idx(0x08, &[u32::MAX; 4], &[]), "at most 17179869184 bytes are read"),
        (idx(0x0e, &[u32::MAX; 255], &[]), "at most 17179869184 bytes are read"),
        (idx(0x08, &[u32::MAX], &[1]), "4294967295 bytes, and 1 are there"),
        (idx(0x08, &[0, u32::MAX], &[1]), "0 bytes, and more follow"),
        (packed(&vec![0; 1 << 20]), "its kind of numbers is 0x00"),
        (packed(&idx(0x08, &[9], &vec![0; 1 << 20])), "9 bytes, and more follow"),
        (flipped, "4 bytes"),
        (vec![0x1f, 0x8b], "it ends within its first 4 bytes"),
        (vec![0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], "it ends within its first 4 bytes"),
    ] {
        let (_dir, path) = file(&content);
        let error = read_idx(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

#[test]
fn what_is_no_file_is_named_and_never_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (path, expected) in [
        (pipe.as_path(), "a pipe"),
        (dir.path(), "a folder"),
        (Path::new("/dev/zero"), "a device"),
        (&dir.path().join("x"), "No such file"),
    ] {
        let errors = [
            read_idx(path).unwrap_err().to_string(),
            read_npy(path).unwrap_err().to_string(),
            read_npz(path).unwrap_err().to_string(),
            Tokens::open(path, TokenKind::U16).unwrap_err().to_string(),
            #[cfg(feature = "csv")]
            Table::read(path, ',').unwrap_err().to_string(),
        ];
        for error in errors {
            assert!(error.contains(expected) && error.starts_with(&format!("`{}`", path.display())), "{error}");
        }
    }
}

#[test]
fn arrays_of_numpy_come_with_their_kinds_shapes_and_values() {
    let arrays = read_npz(&fixture("arrays.npz")).unwrap();
    let quarters = vec![0.0, 0.25, 0.5, 0.75, 1.0, 1.25];
    for (name, kind, shape, expected) in [
        ("float32", Kind::Float, vec![2, 3], quarters.clone()),
        ("float64_fortran", Kind::Double, vec![2, 3], quarters.clone()),
        ("int16_big_endian", Kind::Int16, vec![2, 3], vec![-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]),
        ("uint16", Kind::Int, vec![3], vec![0.0, 1.0, 65535.0]),
        ("uint32", Kind::Int64, vec![3], vec![0.0, 1.0, 4_294_967_295.0]),
        ("bool", Kind::Bool, vec![3], vec![1.0, 0.0, 1.0]),
        ("float16", Kind::Half, vec![2, 3], quarters.clone()),
        ("uint8", Kind::Uint8, vec![2], vec![0.0, 255.0]),
        ("scalar", Kind::Int64, vec![], vec![7.0]),
        ("empty", Kind::Int, vec![0, 3], vec![]),
    ] {
        let array = &arrays[name];
        let found = (array.kind(), array.size(), numbers(&array.reshape([-1])));
        assert_eq!(found, (kind, shape, expected), "{name}");
    }
    assert_eq!(arrays.len(), 10);
    let compressed = read_npz(&fixture("compressed.npz")).unwrap();
    assert_eq!(numbers(&compressed["images"]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(numbers(&compressed["labels"]), [1.0, 0.0]);
    assert_eq!(numbers(&read_npy(&fixture("float32.npy")).unwrap()), quarters);
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn every_cut_of_an_array_is_an_error() {
    for name in ["float32.npy", "compressed.npz", "arrays.npz"] {
        let content = std::fs::read(fixture(name)).unwrap();
        for end in 0..content.len() {
            let (_dir, path) = file(&content[..end]);
            let refused = match name.ends_with("npy") {
                true => read_npy(&path).is_err(),
                false => read_npz(&path).is_err(),
            };
            assert!(refused, "{end} bytes of {name}");
        }
    }
}

#[test]
fn hostile_arrays_are_refused_with_what_is_wrong() {
    let header = |descr: &str, order: &str, shape: &str| {
        format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}")
    };
    let of = |descr: &str, shape: &str, data: &[u8]| npy(&header(descr, "False", shape), data);
    for (content, expected) in [
        (b"NUMPY".to_vec(), "it ends within its first 6 bytes"),
        (b"something else".to_vec(), "it does not begin with"),
        (b"\x93NUMPY\x09\x00\x00\x00".to_vec(), "it is of version 9"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "its header has 4294967295 bytes"),
        (npy("{}", &[]), "its header has no 'descr':"),
        (npy("{'descr': '<f4'}", &[]), "its header has no 'fortran_order':"),
        (npy(&header("'<f4'", "Perhaps", "(1,)"), &[0; 4]), "neither `True` nor `False`"),
        (npy("{'descr': '<f4', 'fortran_order': False}", &[]), "its header has no 'shape':"),
        (of("'<f4'", "3", &[]), "is not a tuple"),
        (of("'<f4'", "(3", &[]), "is not a tuple"),
        (of("'<f4'", "(-3,)", &[]), "`-3` in the `shape`"),
        (of("'<f4'", "(1e3,)", &[]), "`1e3` in the `shape`"),
        (of("'<f4'", "(99999999999999999999,)", &[]), "`99999999999999999999` in the `shape`"),
        (of("'<f4'", "(18446744073709551615, 2)", &[]), "at most 17179869184 bytes are read"),
        (of("'<f4'", &format!("({})", "1, ".repeat(65)), &[0; 4]), "has 65 dimensions"),
        (of("[('a', '<f4')]", "(1,)", &[0; 4]), "array of structures"),
        (of("'|O'", "(1,)", &[0; 8]), "numbers are of type `|O`"),
        (of("'<c8'", "(1,)", &[0; 8]), "numbers are of type `<c8`"),
        (of("'<u8'", "(1,)", &[0; 8]), "numbers are of type `<u8`"),
        (of("'<U4'", "(1,)", &[0; 16]), "numbers are of type `<U4`"),
        (of("''", "(1,)", &[0; 4]), "numbers are of type ``"),
        (of("'ü4'", "(1,)", &[0; 4]), "numbers are of type `ü4`"),
        (of("'<f4'", "(2,)", &[0; 4]), "8 bytes, and 4 are there"),
        (of("'<f4'", "(1,)", &[0; 5]), "4 bytes, and more follow"),
        (npy(&header("'<f4'", "True", "(4294967295, 2)"), &[0; 4]), "at most 17179869184 bytes are read"),
    ] {
        let (_dir, path) = file(&content);
        let error = read_npy(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

#[test]
fn an_archive_with_anything_but_arrays_is_refused() {
    let archive = |entries: &[(&str, &[u8])]| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, zip::write::FileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", &[1]);
    for (content, expected) in [
        (b"no archive".to_vec(), "invalid Zip archive"),
        (archive(&[("readme.txt", b"hello")]), "its entry `readme.txt` is no array"),
        (archive(&[("x.npy", b"hello")]), "array `x`: it ends within its first 6 bytes"),
        (archive(&[("x.npy", &array), ("x.npy", &array)]), "two arrays `x`"),
    ] {
        let (_dir, path) = file(&content);
        let error = read_npz(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

/// Windows of 0, 1, 2, …
fn windows(
    tokens: u16,
    length: usize,
    stride: Option<usize>,
    vocabulary: Option<i64>,
) -> (tempfile::TempDir, TokenWindowsConfig) {
    let (dir, path) = file(&(0..tokens).flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    (dir, TokenWindowsConfig { path, kind: TokenKind::U16, length, stride, vocabulary })
}

#[test]
fn windows_of_tokens_have_the_next_tokens_as_targets() {
    for (tokens, length, stride, starts) in [
        (10, 3, None, vec![0, 3, 6]),
        (9, 3, None, vec![0, 3]),
        (10, 3, Some(2), vec![0, 2, 4, 6]),
        (4, 3, None, vec![0]),
    ] {
        let (_dir, config) = windows(tokens, length, stride, Some(i64::from(tokens)));
        let mut loader = Loader::<TokenWindows>::open("train", &LoaderConfig::new(config, 99), 42).unwrap();
        let (inputs, targets) = loader.next_batch().unwrap().unwrap();
        let from = |first: i64| {
            starts.iter().map(|start| (0..3).map(|n| start + first + n).collect()).collect::<Vec<Vec<i64>>>()
        };
        assert_eq!(Vec::<Vec<i64>>::try_from(inputs).unwrap(), from(0), "{tokens} tokens");
        assert_eq!(Vec::<Vec<i64>>::try_from(targets).unwrap(), from(1));
    }
    let (_dir, path) = file(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(Tokens::open(&path, TokenKind::U32).unwrap().read(0, 2).unwrap(), [1, 4_294_967_295]);
}

#[test]
fn files_of_tokens_that_do_not_fit_are_refused() {
    let (_dir, path) = file(&[1, 2, 3]);
    let error = Tokens::open(&path, TokenKind::U16).unwrap_err().to_string();
    assert!(error.ends_with("it has 3 bytes, and a token of kind U16 has 2"), "{error}");
    let (_dir, config) = windows(3, 3, None, None);
    let error = TokenWindows::open(&config).unwrap_err().to_string();
    assert!(error.contains("it has 3 tokens, and a window of `length` 3 needs 4"), "{error}");
    let (_dir, config) = windows(10, 3, None, Some(8));
    let mut loader = Loader::<TokenWindows>::open("train", &LoaderConfig::new(config, 1), 42).unwrap();
    loader.next_batch().unwrap();
    loader.next_batch().unwrap();
    let error = loader.next_batch().err().unwrap().to_string();
    assert!(error.ends_with("token 8 is 8, and `vocabulary` is 8"), "{error}");
    // cut while it is read: an error, where a file that is mapped into memory would end the process
    let (_dir, config) = windows(10, 3, None, None);
    let dataset = TokenWindows::open(&config).unwrap();
    std::fs::write(&config.path, [0; 4]).unwrap();
    let error = dataset.get(1, &mut crate::data::Samples::new(0, vec![1]).rng(0)).unwrap_err().to_string();
    assert!(error.contains("can't be read"), "{error}");
    let tokens = Tokens::open(&config.path, TokenKind::U16).unwrap();
    assert!(tokens.read(1, usize::MAX).unwrap_err().to_string().contains("and it has 2"));
}

#[cfg(feature = "csv")]
#[test]
fn tables_give_their_columns_and_name_what_does_not_fit() {
    let (_dir, path) = file("\u{feff}age; name;score\n 3 ;\"a;b\";1.5\n4;c;\n".as_bytes());
    let table = Table::read(&path, ';').unwrap();
    assert_eq!((table.columns(), table.len()), (&["age".to_owned(), " name".to_owned(), "score".to_owned()][..], 2));
    assert_eq!(table.integers("age").unwrap(), [3, 4]);
    assert_eq!(table.texts(" name").unwrap(), ["a;b", "c"]);
    assert_eq!(table.numbers_or_empty("score").unwrap(), [Some(1.5), None]);
    let error = table.numbers("score").unwrap_err().to_string();
    assert!(error.ends_with("line 3: `score` is ``, expected a number"), "{error}");
    let error = table.numbers("scor").unwrap_err().to_string();
    assert!(error.ends_with("it has no column `scor`, did you mean `score`?"), "{error}");
    for (content, expected) in [
        (&b""[..], "it is empty"),
        (b"a,a\n1,2\n", "two columns are named `a`"),
        (b"a,b\n1,2\n3\n", "line: 3"),
        (b"a\n\xff\n", "invalid utf-8"),
    ] {
        let (_dir, path) = file(content);
        let error = Table::read(&path, ',').unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
    for cell in ["NaN", "inf", "x", "1,000"] {
        let (_dir, path) = file(format!("a\n\"{cell}\"\n").as_bytes());
        assert!(Table::read(&path, ',').unwrap().numbers("a").is_err(), "{cell}");
    }
    assert!(Table::read(&path, 'ü').unwrap_err().to_string().contains("separator"));
}
