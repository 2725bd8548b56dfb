// SPDX-License-Identifier: Apache-2.0

/// One sentence for all names, or for the world.
pub fn greeting(names: &[String]) -> String {
    match names {
        [] => format!("Hello, {}!", env!("GREETING_DEFAULT")),
        [one] => format!("Hello, {one}!"),
        [first @ .., last] => format!("Hello, {} and {last}!", first.join(", ")),
    }
}
