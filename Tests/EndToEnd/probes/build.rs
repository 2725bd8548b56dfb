// SPDX-License-Identifier: Apache-2.0
// A build script that compiles the probes and runs them: what they say becomes the build's log.
use std::io::{BufRead, BufReader};
use std::process::{exit, Command, Stdio};

fn main() {
    let program = format!("{}/{}", std::env::var("OUT_DIR").unwrap(), include_str!("probes/marker"));
    let group = include_str!("probes/group");
    let compiled = Command::new("cc")
        .args(["-w", "-pthread", "-o", &program, "probes/main.c", &format!("probes/{group}.c"), "-lrt"])
        .status()
        .unwrap();
    assert!(compiled.success());
    let mut child = Command::new(program)
        .arg("probes/targets")
        .args(include_str!("probes/only").lines())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        println!("cargo:warning={}", line.unwrap());
    }
    exit(child.wait().unwrap().code().unwrap_or(1));
}
