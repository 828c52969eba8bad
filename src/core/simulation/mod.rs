//! A box in simulated time: eight cameras, two models, two zones; an hour or a day of faults a seed.
//!
//! `world` has the clock and the turns of the shell, `act` what children do, `people` what people, disk and fate do, and
//! `perform` what becomes of effects. `books` and `check` hold the core to its promises. A failure prints its seed and the
//! fewest faults that still make it fail.

mod act;
mod books;
mod box_of;
mod check;
mod children;
mod dice;
mod faults;
mod people;
mod perform;
mod runs;
mod settings;
mod world;
