//! Files of the Python package, as they are; and their pickle alone, without the zip's checksums.

#![no_main]

use hypothesaes::sae::import_bytes;
use hypothesaes::tensors::torch::pickle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = import_bytes(bytes, 1.0);
    let _ = pickle::read(bytes);
});
