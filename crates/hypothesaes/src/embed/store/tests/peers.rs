//! Stock tools read segments. `HYPOTHESAES_PYTHON=PYTHON cargo test --release -- --ignored pyarrow`,
//! with a Python that has pyarrow and numpy.

use super::*;

const SCRIPT: &str = r#"
import json, sys
import numpy as np
import pyarrow as pa
path, want, dtype = sys.argv[1:]
table = pa.ipc.open_file(pa.memory_map(path)).read_all()
assert pa.total_allocated_bytes() == 0, "copied"
print(table.schema)
table.validate(full=True)
keys = [k.hex() for k in table["key"].to_pylist()]
flat = table["vector"].combine_chunks().flatten().to_numpy()
assert flat.dtype == np.dtype(dtype), flat.dtype
vectors = flat.reshape(table.num_rows, -1).astype(np.float32)
want = json.load(open(want))
assert keys == sorted(want), "keys"
right = np.array([want[k] for k in keys], dtype=np.float32)
assert (vectors == right).all() and vectors.shape == right.shape, "vectors"
"#;

#[test]
#[ignore = "needs Python"]
fn pyarrow_maps_a_segment() {
    let Ok(python) = std::env::var("HYPOTHESAES_PYTHON") else { return };
    for (element, dtype) in [(Element::F32, "float32"), (Element::F16, "float16")] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path(), &space(element));
        add(&store, 0..1000);
        let hex = |i: u32| key(i).0.map(|b| format!("{b:02x}")).concat();
        let want: serde_json::Map<_, _> =
            (0..1000).map(|i| (hex(i), stored(i, element).into())).collect();
        let json = dir.path().join("want.json");
        std::fs::write(&json, serde_json::to_string(&want).unwrap()).unwrap();
        let segment = &files::segments(&store.folder).unwrap()[0];
        let mut command = std::process::Command::new(&python);
        command.args(["-c", SCRIPT]).arg(segment).arg(&json).arg(dtype);
        assert!(command.status().unwrap().success());
    }
}
