//! A box in simulated time.
