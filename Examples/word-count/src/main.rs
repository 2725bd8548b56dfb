// SPDX-License-Identifier: Apache-2.0
//! Counts the words of standard input and prints the ten most frequent.

use std::collections::HashMap;
use std::io::Read;

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let word = regex::Regex::new(r"\p{Alphabetic}+").expect("the pattern is constant and valid");
    let mut counts: HashMap<String, usize> = HashMap::new();
    for found in word.find_iter(&text) {
        *counts.entry(found.as_str().to_lowercase()).or_default() += 1;
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (word, count) in rows.iter().take(10) {
        println!("{:6} {}", count, word);
    }
    Ok(())
}
