//! Changes of the settings in simulated time.

use crate::core::Event;
use crate::core::event::CommandTicket;
use crate::core::simulation::box_of::BoxSettings;
use crate::core::simulation::dice::Dice;
use crate::core::simulation::wanted::Wanted;
use crate::core::simulation::world::World;
use crate::vision::camera_status::CameraStatus;
use std::collections::BTreeMap;

impl World {
    /// Edits the settings in a few places, and reloads them.
    pub(super) fn reload(&mut self) {
        let mut new = self.wanted.clone();
        for _ in 0..self.dice.between(1, 5) {
            new.edit(self.settings.cameras, &mut self.dice);
        }
        self.reload_to(new);
    }

    fn reload_to(&mut self, new: Wanted) {
        let change = self.wanted.change_to(&new, self.settings.terms());
        let ticket = CommandTicket(self.books.ticket());
        self.note(|| format!("{ticket:?}: {change:?}"));
        self.books.commands.insert(ticket, self.active());
        self.inbox.push_back(Event::Changed { ticket, change: Box::new(change) });
        self.wanted = new;
    }
}

/// What an operator sees of a box once everything has settled.
#[derive(Debug, PartialEq)]
struct Seen {
    /// The model, the rate and the state of each camera.
    cameras: BTreeMap<String, (Vec<String>, f32, CameraStatus)>,
    /// The package, the bounds, the units in service and the state of each model.
    models: BTreeMap<String, String>,
}

impl Seen {
    fn of(world: &World) -> Self {
        let status = world.core.status();
        let cameras = status.cameras.iter().map(|(id, camera)| {
            let is_its = |(_, model): &(&String, &crate::supervisor::ModelStatus)| model.ledgers.contains_key(id);
            let models = status.models.iter().filter(is_its).map(|(name, _)| name.clone()).collect();
            (id.to_string(), (models, camera.state.fps, camera.state.state))
        });
        let models = status.models.iter().map(|(name, model)| {
            // Between two bounds the number follows the load, which differs.
            let in_service = model.in_service.min(model.min_units);
            let (units, state) = ((model.min_units, model.max_units, in_service), model.state);
            (name.clone(), format!("{} {units:?} {state:?}", model.package))
        });
        Self { cameras: cameras.collect(), models: models.collect() }
    }
}

#[test]
fn any_change_of_the_settings_ends_as_a_fresh_start_with_them() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        // So fast that no camera is throttled: a throttled rate follows the load, which differs.
        let settings = BoxSettings { limit: 8, service_ms: 1, ..BoxSettings::draw(&mut dice, 5.0) };
        let mut world = World::new(settings.clone(), Vec::new(), seed, 100);
        world.run(200);
        let mut new = world.wanted.clone();
        (0..20).for_each(|_| new.edit(settings.cameras, &mut dice));
        // A fresh start with a package that cannot be loaded runs nothing; a reload keeps what runs.
        new.models.iter_mut().filter(|model| model.package == "bad").for_each(|model| model.package = "good-1".into());
        world.reload_to(new.clone());
        world.run(200);
        let mut fresh = World::with(settings, new, Vec::new(), seed, 100);
        fresh.run(200);
        assert_eq!(world.failure.as_ref().map(|failure| &*failure.what), None, "seed {seed}");
        assert_eq!(fresh.failure.as_ref().map(|failure| &*failure.what), None, "seed {seed}");
        assert_eq!(Seen::of(&world), Seen::of(&fresh), "seed {seed}");
    }
}

#[test]
fn models_that_exchange_their_sizes_on_a_full_box_have_them_in_the_end() {
    let mut dice = Dice::new(1);
    let settings =
        BoxSettings { limit: 4, service_ms: 1, units: [(1, 0), (3, 0)], ..BoxSettings::draw(&mut dice, 5.0) };
    let mut world = World::new(settings, Vec::new(), 1, 100);
    world.run(100);
    let mut new = world.wanted.clone();
    let sizes: Vec<u16> = new.models.iter().map(|model| model.min_inference_units).collect();
    new.models.iter_mut().zip(sizes.iter().rev()).for_each(|(model, size)| model.min_inference_units = *size);
    world.reload_to(new);
    world.run(100);
    assert_eq!(world.failure.as_ref().map(|failure| &*failure.what), None);
    let status = world.core.status();
    let in_service: Vec<usize> = status.models.values().map(|model| model.in_service).collect();
    assert_eq!((in_service, sizes), (vec![3, 1], vec![1, 3]), "{:?}", status.degraded);
}
