//! `cargo test --release -- --ignored --nocapture measures`, with `HYPOTHESAES_BENCH=FOLDER ROWS DIM`.

use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// As in a shell: what was cached of the store is dropped if the process may.
fn drop_caches() -> bool {
    std::process::Command::new("sync").status().is_ok_and(|s| s.success())
        && std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

#[test]
#[ignore = "writes gigabytes"]
fn measures() {
    let Ok(what) = std::env::var("HYPOTHESAES_BENCH") else { return };
    let [folder, rows, dim] = what.split(' ').collect::<Vec<_>>()[..] else { panic!("{what}") };
    let (folder, rows) = (Path::new(folder), rows.parse::<u32>().unwrap());
    for element in [Element::F32, Element::F16] {
        let space = Space { embedder: "bench".into(), dim: dim.parse().unwrap(), element };
        write_all(folder, &space, rows);
        let raw = u64::from(rows) * (space.dim * element.bytes()) as u64;
        let ratio = contents(folder).unwrap()[0].bytes as f64 / raw as f64;
        println!("{element:?} {rows} x {dim}: {ratio:.4} times the raw size");
        read(folder, &space, rows);
        let mut store = open(folder, &space);
        let start = Instant::now();
        store.compact(1).unwrap();
        println!("  merged into one in {:.1?}", start.elapsed());
        read(folder, &space, rows);
        let start = Instant::now();
        assert!(verify(folder).unwrap().iter().all(|c| c.trouble.is_none()));
        println!("  verified in {:.1?}", start.elapsed());
        trim(folder, &Trim { at_most_bytes: Some(0), ..Trim::default() }).unwrap();
    }
}

fn write_all(folder: &Path, space: &Space, rows: u32) {
    let (start, mut rng) = (Instant::now(), SmallRng::seed_from_u64(1));
    let mut writer = open(folder, space).writer(WriterOptions::default());
    let mut vector: Vec<f32> = (0..space.dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    for i in 0..rows {
        vector[0] = (i % 1000) as f32;
        vector.rotate_left(1);
        vector[1] = i as f32 / rows as f32;
        writer.push(key(i), &vector).unwrap();
    }
    writer.finish().unwrap();
    println!("  written in {:.1?}", start.elapsed());
}

fn read(folder: &Path, space: &Space, rows: u32) {
    let mut rng = SmallRng::seed_from_u64(2);
    let keys: Vec<Key> = (0..100_000).map(|_| key(rng.random_range(0..rows))).collect();
    let unknown: Vec<Key> = (0..100_000).map(|i| key(rows + i)).collect();
    let cold = drop_caches();
    for how in if cold { &["cold", "warm", "warm"][..] } else { &["warm", "warm"] } {
        let start = Instant::now();
        let store = open(folder, space);
        let opened = start.elapsed();
        let start = Instant::now();
        assert!(store.find(&keys).iter().all(Option::is_some));
        let found = start.elapsed();
        let start = Instant::now();
        assert!(store.find(&unknown).iter().all(Option::is_none));
        let missed = start.elapsed();
        // Touched, so that it is not the allocation that is measured.
        let mut out = vec![1.0; keys.len() * space.dim];
        let start = Instant::now();
        assert_eq!(store.fill(&keys, &mut out).unwrap(), [0; 0]);
        let (segments, copied) = (store.segments.len(), start.elapsed());
        println!(
            "  {how}, {segments} segments: open {opened:.1?}; 100,000 keys: find {found:.1?}, \
             unknown {missed:.1?}, fill {copied:.1?}"
        );
    }
}
