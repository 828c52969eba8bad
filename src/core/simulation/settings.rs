//! The core kills nothing and reconnects nothing on a healthy box, whatever its settings: extremes in combination.

use crate::core::simulation::box_of::BoxSettings;
use crate::core::simulation::dice::Dice;
use crate::core::simulation::faults::{Weather, schedule};
use crate::core::simulation::world::World;

#[test]
fn no_settings_that_are_accepted_kill_or_reconnect_a_healthy_box() {
    for seed in 0..150 {
        let mut dice = Dice::new(7_000 + seed);
        let settings = BoxSettings::extreme(&mut dice);
        let faults = schedule(&mut dice, Weather::Calm, 600, 120);
        let mut world = World::new(settings, faults, seed, 100);
        world.run(600);
        assert!(world.failure.is_none(), "seed {seed}: {:?}\n{:?}", world.failure, world.settings);
        assert!(
            world.books.frames_detected + world.core.in_flight() > 0 || world.settings.fps < 1.0,
            "seed {seed} sees nothing"
        );
    }
}
