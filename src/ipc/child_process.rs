//! Spawning, watching and ending children.
