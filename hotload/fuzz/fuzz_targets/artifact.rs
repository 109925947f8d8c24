//! Inspects arbitrary bytes as an artifact for the fuzzer's own process.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use playground_fuzz::inspect::{HostFacts, inspect};
use playground_fuzz::{ABI, MODULE};

static HOST: LazyLock<HostFacts> =
    LazyLock::new(|| HostFacts::of_this_process(ABI).expect("the fuzzer's own files"));

fuzz_target!(|bytes: &[u8]| {
    match inspect(Path::new("lib.so"), bytes.to_vec(), &MODULE.into(), &HOST) {
        Ok(inspected) => {
            assert_eq!(inspected.bytes(), bytes);
            assert_eq!(inspected.hash(), blake3::hash(bytes).to_hex().as_str());
            assert_eq!(inspected.manifest().id, MODULE);
            assert_eq!(inspected.manifest().abi, ABI);
            assert_eq!(inspected.schemas().len(), inspected.manifest().persisted.len());
            assert!(
                inspected.warnings().iter().all(|warning| warning.to_string().contains("lib.so"))
            );
        }
        Err(error) => assert!(error.to_string().contains("lib.so")),
    }
});
