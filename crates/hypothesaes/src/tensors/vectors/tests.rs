use super::super::safetensors::{Tensor, write};
use super::*;

fn matrix() -> Matrix {
    let values = (0..60).map(|i| (i as f32 * 0.7).sin()).collect();
    Matrix::from_vec(20, 3, values).unwrap()
}

fn in_file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn npy(x: &Matrix) -> Vec<u8> {
    let mut bytes = Vec::new();
    let parts = [x.gather(&[0, 1]), x.gather(&(2..x.rows()).collect::<Vec<_>>())];
    npy::write(&mut bytes, (x.rows(), x.cols()), parts.into_iter().map(Ok)).unwrap();
    bytes
}

fn check(bytes: &[u8], tolerance: f32) {
    let x = matrix();
    let (_dir, path) = in_file("x", bytes);
    let file = VectorFile::open(&path).unwrap();
    assert_eq!((file.n_rows(), file.dim(), file.bytes_in_memory()), (20, 3, 240));
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance);
    assert!(close(file.load().unwrap().data(), x.data()));
    let index = [0, 1, 2, 5, 7, 8, 19];
    let mut buffer = Vec::new();
    let rows = file.fetch(&index, &mut buffer).unwrap();
    assert_eq!(rows.len(), index.len());
    assert!(rows.iter().zip(index).all(|(row, i)| close(row, x.row(i))));
}

#[test]
fn rows_are_read_in_any_order() {
    check(&npy(&matrix()), 0.0);
    let mut bytes = Vec::new();
    write(&mut bytes, ("embedder", "test"), &[Tensor::matrix("embeddings", &matrix())]).unwrap();
    check(&bytes, 0.0);
}

/// A file as numpy writes it.
fn header(kind: &str, rest: &str) -> Vec<u8> {
    let dict = format!("{{'descr': '{kind}', {rest}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(dict.len()).unwrap().to_le_bytes());
    bytes.extend(dict.bytes());
    bytes
}

#[test]
fn other_widths_are_converted() {
    let shape = "'fortran_order': False, 'shape': (20, 3)";
    let mut wide = header("<f8", shape);
    wide.extend(matrix().data().iter().flat_map(|v| f64::from(*v).to_le_bytes()));
    check(&wide, 0.0);
    let mut narrow = header("<f2", shape);
    narrow.extend(matrix().data().iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()));
    check(&narrow, 1e-3);
}

#[test]
fn what_holds_no_vectors_is_refused_in_words() {
    let refused = |bytes: &[u8], words: &str| {
        let (_dir, path) = in_file("x.npy", bytes);
        let message = VectorFile::open(&path).unwrap_err().to_string();
        assert!(message.contains("x.npy") && message.contains(words), "{message}");
    };
    let whole = npy(&matrix());
    refused(b"", "neither");
    refused(b"text,stars\nnice,5\n", "neither");
    refused(&whole[..whole.len() - 1], "cut short");
    refused(&header("<i8", "'fortran_order': False, 'shape': (2, 2)"), "its type is <i8");
    refused(&header(">f4", "'fortran_order': False, 'shape': (2, 2)"), "its type is >f4");
    refused(&header("<f4", "'fortran_order': True, 'shape': (2, 2)"), "column by column");
    refused(&header("<f4", "'fortran_order': False, 'shape': (2,)"), "1 dimensions");
    let huge = "'fortran_order': False, 'shape': (18446744073709551615, 9)";
    refused(&header("<f4", huge), "cut short");
    let mut two = Vec::new();
    let x = matrix();
    write(&mut two, ("a", "b"), &[Tensor::matrix("x", &x), Tensor::matrix("y", &x)]).unwrap();
    refused(&two, "one matrix");
}

#[test]
fn a_file_cut_short_meanwhile_is_an_error() {
    let (_dir, path) = in_file("x.npy", &npy(&matrix()));
    let file = VectorFile::open(&path).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(200).unwrap();
    let message = file.fetch(&[3, 18, 19], &mut Vec::new()).unwrap_err().to_string();
    assert!(message.contains("rows 18 to 19") && message.contains("x.npy"), "{message}");
    assert!(file.load().is_err());
}
