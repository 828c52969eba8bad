.PHONY: demo-cluster int8 openvino hostile accuracy camera-dynamics cameras capture deny idle help third-party setup models build demo test check fmt clippy doc bench bench-models faults crash delivery disk simulate conformance payloads safety schemas fuzz page-bench page-pictures soak install deb operator cluster

PREFIX ?= /usr
CARGO ?= cargo

help: ## what there is
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

setup: ## install what is missing: packages, ONNX Runtime, models, footage
	@setup/setup.sh

models: setup ## install further models by name (MODELS="centernet efficientnet-lite0", or all); without one, list them
	@setup/models.sh $(MODELS)

int8: build ## give the default detector its twin in 8 bits, from models/coco-ssd/int8.json (its manifest in models/ changes)
	@target/release/ocelli model quantize coco-ssd --from-recipe models/coco-ssd/int8.json --config configs/ocelli.toml

openvino: setup ## install ONNX Runtime with OpenVINO beside the other, for x86-64 (84 MB to fetch, 133 MB in lib/openvino)
	@setup/openvino.sh

build: setup ## the release binary, and the camera of the demo
	@$(CARGO) build --release --bin ocelli --example rtsp_camera

demo: build ## a camera, a broker and the daemon, live in the terminal (CAMERA=rtsp://..., DURATION=30)
	@setup/demo.sh

demo-cluster: build ## three boxes on this machine share six cameras: kill one, and see them move (DURATION=60)
	@setup/etcd.sh
	@setup/demo_cluster.sh

test: setup ## every test, with real cameras, models, broker and faults
	@setup/clients.sh
	@setup/models.sh all
	@setup/layouts.sh
	@setup/browser.sh
	@setup/etcd.sh
	@setup/balancer.sh
	@$(CARGO) test

check: fmt clippy doc deny test ## all that CI runs

fmt: ## the format of the code
	@$(CARGO) fmt --check

clippy: ## the lints of the code, also of a build without capture
	@$(CARGO) clippy --all-targets -- -D warnings
	@$(CARGO) clippy --no-default-features --lib --bins -- -D warnings

doc: ## whether the documentation of the code builds
	@RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --document-private-items

deny: ## licences, bans and sources of all dependencies by deny.toml (cargo-deny, in .setup), and whether THIRD-PARTY.md is current
	@setup/deny.sh
	@tools/third_party.py --check

third-party: ## write THIRD-PARTY.md: the crates in the binary with their licences
	@tools/third_party.py >THIRD-PARTY.md.part
	@mv THIRD-PARTY.md.part THIRD-PARTY.md

bench: build ## measure against the physical limits; writes target/reports/bench.json, fails for no missed bar
	@$(CARGO) bench --bench pipeline

bench-models: build ## each model in a unit against bare ONNX Runtime, the decoder of each layout (OCELLI_TESTDATA); writes target/reports/models.json
	@setup/models.sh all
	@$(CARGO) bench --bench models

idle: build ## what cameras cost before which nothing moves, busy ones, sites of many, what is missed, and an hour of forty, two hours; writes target/reports/idle.json, fails for no missed bar
	@$(CARGO) bench --bench idle

capture: build ## what receiving and decoding loses and costs beside plain GStreamer, six minutes; writes target/reports/capture.json, fails for no missed bar
	@$(CARGO) bench --bench capture

faults: build ## kills, overload, swaps and stops, half an hour; writes target/reports/faults.json, fails for no missed bar
	@$(CARGO) bench --bench faults

cluster: build ## three boxes, three members of etcd and cameras under 60 faults, half an hour (OCELLI_CLUSTER_FAULTS); writes target/reports/cluster.json, fails for no missed bar
	@setup/etcd.sh
	@$(CARGO) bench --bench cluster

soak: build ## eight hours of eight cameras with faults, reloads and swaps (OCELLI_SOAK_SHARE=0.01: five minutes); writes target/reports/soak.{json,csv,svg}, fails for no missed bar
	@$(CARGO) bench --bench soak

accuracy: build ## AP of every detector at hand on 47 COCO pictures, layouts, classifiers, tracking beside ByteTrack (OCELLI_TESTDATA); writes target/reports/accuracy.json
	@setup/models.sh all
	@setup/layouts.sh
	@setup/byte_track.sh
	@$(CARGO) bench --bench accuracy

disk: build ## what two busy cameras have written to the disk, ten minutes; writes target/reports/disk.json, fails for no missed bar
	@$(CARGO) bench --bench disk

delivery: setup ## 100,000 events through 50 faults and more, a quarter of an hour; writes target/reports/delivery.json, fails when one is lost
	@$(CARGO) build --release --example event_daemon --example scripted_unit --example scripted_capture
	@$(CARGO) bench --bench delivery

simulate: ## 5,000 boxes in simulated time, an hour or a day of faults each (SEEDS=5000); prints events a second and, of a failure, its seed and shortest trace; writes target/reports/simulate.json; and 20 days of 30 boxes with 1,000 cameras: target/reports/placer.json
	@OCELLI_SEEDS=$(or $(SEEDS),5000) $(CARGO) test --release --lib core::simulation::runs -- --nocapture
	@OCELLI_PLACER_SEEDS=20 $(CARGO) test --release --lib cluster::placer::tests::simulated_days -- --nocapture

crash: ## power cuts, kills and changed bytes under the events on disk; writes target/reports/{crash_model,byte_flips}.json
	@OCELLI_CRASH=whole $(CARGO) test --lib publish::outbox::keeper::tests::crash_model -- --nocapture
	@OCELLI_CRASH=whole $(CARGO) test --lib publish::outbox::keeper::tests::byte_flips -- --nocapture

conformance: build ## the AWS-compatible API and S3 with boto3 of several years, both AWS CLIs, JavaScript, Go and Rust, and under load; fails for a missed bar; writes target/reports/conformance.json
	@setup/clients.sh
	@setup/conformance.sh
	@$(CARGO) bench --bench conformance

payloads: setup ## what leaves over MQTT, live, by paho, mosquitto_sub and Home Assistant's own code (500 MB in .setup); writes target/reports/payloads.json
	@setup/clients.sh
	@setup/home_assistant.sh
	@$(CARGO) build --example rtsp_camera
	@$(CARGO) bench --profile dev --bench payloads

cameras: setup ## every quirk of cameras, all footage, and servers of others (VLC, aio-rtsp-toolkit, rtsp-rs) against a real capture process, twenty minutes; writes target/reports/cameras.json (OCELLI_WRITE_TABLE=1: the table in docs/cameras.md)
	@setup/cameras.sh
	@$(CARGO) build --example rtsp_camera
	@OCELLI_ALL_CAMERAS=1 $(CARGO) test --test cameras -- --nocapture

camera-dynamics: setup ## cameras that are killed, frozen, cut off, slow, reset and changed, 10,000 reconnects, an hour of a wrong password (OCELLI_LOGIN_SECONDS), a simulated day; writes target/reports/camera-dynamics.json
	@$(CARGO) build --example rtsp_camera
	@$(CARGO) test --lib camera::camera_state::day_and_night
	@OCELLI_DYNAMICS=whole $(CARGO) test --test camera_dynamics -- --nocapture --test-threads=2

schemas: ## write the JSON Schemas of the messages to docs/schemas/, from their types
	@OCELLI_WRITE_SCHEMAS=1 $(CARGO) test --lib publish::schemas

page-bench: build ## what live video costs: processor, bytes, memory, and 50 viewers beside detections, how late a picture is, six minutes; writes target/reports/page.json, fails for no missed bar
	@$(CARGO) bench --bench page

page-pictures: setup ## write what the web page looks like to docs/pictures/, five minutes
	@setup/browser.sh
	@$(CARGO) build --example rtsp_camera
	@OCELLI_WRITE_PICTURES=1 $(CARGO) test --test page_pictures -- --nocapture

fuzz: setup ## what strangers send, ten minutes a target (SECONDS_EACH=); writes target/reports/fuzz.json
	@setup/fuzz.sh

safety: setup ## what a child that was taken over can do, under every Landlock ABI, as root and unprivileged; and a secret in each place where one lives; writes target/reports/{safety,safety-connect}.json
	@setup/clients.sh
	@$(CARGO) build --examples
	@OCELLI_SAFETY=whole $(CARGO) test --test safety --test secrets -- --nocapture

hostile: setup ## cameras, brokers, models and HTTP clients that mean harm beside a good camera, and half an hour of mutated streams (OCELLI_MUTATED_SECONDS); writes target/reports/{hostile,mutated}.json
	@$(CARGO) build --examples
	@OCELLI_SAFETY=whole $(CARGO) test --test hostile -- --nocapture
	@OCELLI_MUTATED_SECONDS=$(or $(OCELLI_MUTATED_SECONDS),1800) $(CARGO) test --test mutated_streams -- --nocapture

install: ## install what `make build` has built: packaging/files, then user, settings and systemd (as root; DESTDIR=, PREFIX=/usr)
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) packaging/install.sh

deb: build ## the Debian package of the same files, and its debug symbols, in target/debian (needs dpkg-dev)
	@packaging/deb.sh

operator: build ## the package judged by lintian and mandoc, installed by apt on a bare Debian 12, upgraded, removed and purged in a booted container (as root); writes target/reports/operator.json, fails for a missed bar
	@setup/operator.sh
	@packaging/operator.sh
