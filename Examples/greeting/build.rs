// SPDX-License-Identifier: Apache-2.0
//! A build script, as many real projects have one: it sets a constant and says so.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=GREETING_DEFAULT=world");
    println!("cargo:warning=the default greeting is for the world");
}
