// SPDX-License-Identifier: Apache-2.0
// A procedural macro that compiles the probes and runs them, within the compiler.
extern crate proc_macro;
use std::process::Command;

#[proc_macro]
pub fn run(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/probes";
    let program = std::env::temp_dir().join(include_str!("../../probes/marker"));
    let group = include_str!("../../probes/group");
    let compiled = Command::new("cc")
        .args(["-w", "-pthread", "-o"])
        .arg(&program)
        .args([format!("{folder}/main.c"), format!("{folder}/{group}.c"), "-lrt".into()])
        .status()
        .unwrap();
    assert!(compiled.success());
    let done = Command::new(&program)
        .arg(format!("{folder}/targets"))
        .args(include_str!("../../probes/only").lines())
        .output()
        .unwrap();
    eprint!("{}", String::from_utf8_lossy(&done.stdout));
    assert!(done.status.success());
    proc_macro::TokenStream::new()
}
