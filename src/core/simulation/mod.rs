//! A box in simulated time: eight cameras, two models and two zones, with an hour or a day of faults per seed.
//!
//! `world` has the clock and the shell's turns, `act` the behaviour of child processes, `people` faults and client
//! requests, `wanted` and `reloads` the edits of the settings, and `perform` the effects. `books` and `check` verify the core's invariants. A failure prints its seed and
//! the fewest faults that still make it fail.

mod act;
mod books;
mod box_of;
mod check;
mod children;
mod dice;
mod faults;
mod people;
mod perform;
mod reloads;
mod runs;
mod settings;
mod wanted;
mod world;
