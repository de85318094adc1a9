//! The measures, each with the limit that it must stay under.

pub mod fixes;
pub mod import;
pub mod list;
pub mod notifications;
pub mod ready;
pub mod scan;
pub mod size;

/// A number with commas between its thousands.
pub fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
