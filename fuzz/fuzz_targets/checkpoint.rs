//! Checkpoints: the bytes as they are, and with a checksum that fits, which chance does not find.

#![no_main]

use std::path::Path;

use hypothesaes::sae::Checkpoint;
use hypothesaes::tensors::safetensors::Tensor;
use hypothesaes::tensors::seal;
use libfuzzer_sys::fuzz_target;
use safetensors::SafeTensors;

fn sealed(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = SafeTensors::deserialize(bytes).ok()?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    let header = metadata.metadata().as_ref()?.get("hypothesaes")?;
    let tensors = file.iter().filter(|(name, _)| *name != "checksum");
    let tensors = tensors.map(|(name, view)| Tensor {
        name: name.into(),
        dtype: view.dtype(),
        shape: view.shape().into(),
        bytes: view.data().to_vec().into(),
    });
    let mut out = Vec::new();
    seal(&mut out, header, tensors.collect()).ok()?;
    Some(out)
}

fuzz_target!(|bytes: &[u8]| {
    let file = Path::new("fuzzed");
    let _ = Checkpoint::from_bytes(file, bytes);
    if let Some(sealed) = sealed(bytes) {
        let _ = Checkpoint::from_bytes(file, &sealed);
    }
});
