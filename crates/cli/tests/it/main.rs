//! The program from end to end.

mod asking;
mod demo;
mod errors;
mod help;
mod interrupting;
mod papers;
mod program;
mod real;
mod resuming;
mod running;
