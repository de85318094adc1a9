//! Packs: what they may say, what they may ask, and that they harm nothing but themselves.

mod cases;
mod cloud;
mod harm;
mod judged;
mod scuba;
