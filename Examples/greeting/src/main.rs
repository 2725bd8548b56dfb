// SPDX-License-Identifier: Apache-2.0
//! Greets whoever is named on the command line.

mod words;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    println!("{}", words::greeting(&names));
}
