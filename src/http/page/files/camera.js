// One camera: its live picture, what is drawn over it, and the facts of its stream.
import { get, path, post } from "./api.js";
import { AreaEditor } from "./area_editor.js";
import { AreaLayer } from "./areas.js";
import { inView, lastSeen } from "./cameras.js";
import { ask } from "./dialog.js";
import { el, facts, pill, say, show } from "./dom.js";
import { LivePlayer } from "./live.js";
import { mayChange } from "./session.js";
import { attention, cameraState, clock, codec, count, loss, rate, span } from "./words.js";

// What a person has chosen to see, kept while the page is open.
const chosen = { boxes: true, labels: true, areas: true, mode: "exact" };

const choice = (text, isOn, change) => el("label", { class: "choice" },
    el("input", { type: "checkbox", checked: isOn, on: { change: (event) => change(event.target.checked) } }), text);

// Counts by reason, the greatest first.
const losses = (counts) => Object.entries(counts).filter(([, number]) => number > 0).sort(([, one], [, other]) => other - one)
    .map(([reason, number]) => [loss(reason), count(number)]);

function streamFacts(health) {
    const { stream } = health;
    const size = health.width ? `${health.width} × ${health.height}` : "";
    return facts([
        ["Stream", [codec(health.codec), size].filter(Boolean).join(", ")],
        ["Received", `${rate(stream.received_fps)} frames/s, ${count(stream.kilobits_per_second)} kbit/s`],
        ["Decoded", `${rate(health.decoded_fps)} frames/s`],
        ["Analysed", `${rate(health.analysed_fps)} frames/s${health.fps > 0 ? ` of ${rate(health.fps)} wanted` : ""}`],
        ["Model", health.model],
        ["Attention", attention(stream.attention)],
        ["Keyframes", stream.keyframe_interval_seconds > 0 ? `each ${rate(stream.keyframe_interval_seconds)} s` : ""],
        ["Its clock", stream.clock_offset_seconds === undefined ? "" : Math.abs(stream.clock_offset_seconds) < 0.5 ? "right"
            : `${rate(Math.abs(stream.clock_offset_seconds))} s ${stream.clock_offset_seconds > 0 ? "ahead" : "behind"}`],
        ["Packets lost", `${count(stream.packets_lost)} of ${count(stream.packets)}`],
        ["Reconnected", health.reconnects === 0 ? "never" : `${count(health.reconnects)} times`],
        ["Main stream", health.main && `${cameraState(health.main.state)[1]}${health.main.width ? `, ${health.main.width} × ${health.main.height}` : ""}${health.main.reason ? `: ${health.main.reason}` : ""}`],
    ]);
}

function connectionLog(changes) {
    if (!changes?.length) return el("p", { class: "quiet" }, "Nothing yet");
    return el("ol", { class: "log" }, [...changes].reverse().map(({ at_ms: at, state, reason }) => {
        const [kind, word] = cameraState(state);
        return el("li", {}, el("time", {}, clock(at)), pill(kind, word), el("span", { class: "quiet" }, reason ?? ""));
    }));
}

export function cameraView(id) {
    const stage = el("div", { class: "stage" });
    const host = el("div", { class: "player" });
    const layer = new AreaLayer();
    stage.append(host, layer.element);
    const [playing, reason, state, seen, last, stream, skipped, shed, log, since, problem] = Array.from({ length: 11 }, () => el("div"));
    const editorPlace = el("div");
    let player = null;
    let editor = null;

    const play = () => {
        player?.stop();
        player = new LivePlayer(host, id, { mode: chosen.mode, boxes: chosen.boxes, labels: chosen.labels });
        player.onstatus = (text) => say(playing, text);
        player.start();
    };
    const draw = () => { layer.element.toggleAttribute("hidden", !chosen.areas && !editor); };
    const showAreas = async () => {
        try { layer.show(await get(path("cameras", id, "scene"))); } catch { layer.show({ regions: [], include: [], ignore: [] }); }
        draw();
    };
    // The connection as the log has it: it is asked for when that is another. The answer has the whole hour in numbers.
    let logged = "";
    const showLog = async (connection, state) => {
        if (connection === logged) return;
        logged = connection;
        try {
            const { connections } = await get("/api/history");
            const changes = connections[id] ?? [];
            show(log, JSON.stringify(changes), () => connectionLog(changes));
            // It may be a moment behind.
            if (changes.at(-1)?.state !== state) logged = "";
        } catch { logged = ""; }
    };
    const edit = () => {
        editor = new AreaEditor(id, layer, () => {
            editor = null;
            editorPlace.replaceChildren();
            change.hidden = false;
            showAreas();
        });
        editorPlace.replaceChildren(editor.element);
        change.hidden = true;
        draw();
    };
    const change = el("button", { type: "button", "data-edit": true, on: { click: edit } }, "Edit regions and masks");
    const turn = el("button", { type: "button", class: "plain", on: { click: () => switchCamera() } });
    let isOff = false;
    async function switchCamera() {
        const answer = await ask(isOff
            ? { title: `Switch camera ${id} on?`, text: "The box connects to it again, and its frames are analysed.", action: "Switch it on" }
            : { title: `Switch camera ${id} off?`, text: "The box disconnects from it. Nothing of it is seen until somebody switches it on again.", action: "Switch it off", isGrave: true });
        if (!answer) return;
        try { await post(path("cameras", id, isOff ? "enable" : "disable")); say(problem, ""); } catch (error) { say(problem, error.message); }
        problem.className = problem.textContent ? "notice bad" : "";
    }
    const mode = el("label", { class: "choice" }, "Timing",
        el("select", { on: { change: (event) => { chosen.mode = event.target.value; play(); } } },
            el("option", { value: "exact", selected: chosen.mode === "exact" }, "boxes exactly on their frame"),
            el("option", { value: "newest", selected: chosen.mode === "newest" }, "newest frame")));
    const tools = el("div", { class: "tools" },
        choice("Boxes", chosen.boxes, (isOn) => { chosen.boxes = isOn; play(); }),
        choice("Labels", chosen.labels, (isOn) => { chosen.labels = isOn; play(); }),
        choice("Regions and masks", chosen.areas, (isOn) => { chosen.areas = isOn; draw(); }),
        mode, playing);
    playing.className = "quiet playing";
    reason.className = "reason";

    const section = (title, ...content) => el("section", { class: "card card-body" }, el("h2", {}, title), content);
    const element = el("section", { class: "one-camera" },
        el("div", { class: "heading" }, el("a", { class: "back", href: "#/cameras" }, "‹ Cameras"), el("h1", {}, id), state, el("span", { class: "grow" }), mayChange() ? [change, turn] : null),
        reason, problem,
        el("div", { class: "columns" },
            el("div", { class: "wide" }, el("div", { class: "card" }, stage, tools), editorPlace),
            el("div", { class: "narrow" },
                section("In view", seen, last),
                section("Stream", stream),
                section("Frames that were not decoded", skipped),
                section("Frames that were not analysed", shed),
                section("Connections", since, log))));
    play();
    showAreas();

    return {
        element,
        title: id,
        update(box) {
            const health = box.status?.cameras[id];
            if (!box.status) return;
            if (!health) {
                say(reason, "This box has no camera of this name.");
                return;
            }
            const [kind, word] = cameraState(health.state);
            show(state, word, () => pill(kind, word));
            say(reason, health.reason ?? "");
            reason.hidden = !health.reason;
            isOff = health.state === "disabled";
            say(turn, isOff ? "Switch on" : "Switch off");
            if (health.width && health.height) {
                stage.style.setProperty("aspect-ratio", `${health.width} / ${health.height}`);
                layer.setSize(health.width, health.height);
            }
            show(seen, JSON.stringify([health.state === "streaming", health.seen]), () => (health.state === "streaming" ? inView(health.seen)
                : el("p", { class: "quiet" }, "Nobody knows: no frames arrive.")));
            say(last, lastSeen(id, box.objects));
            last.className = "quiet";
            show(stream, JSON.stringify([health.stream, health.decoded_fps, health.analysed_fps, health.reconnects, health.main, health.codec]), () => streamFacts(health));
            const nothing = () => el("p", { class: "quiet" }, "None");
            const listed = (place, counts) => show(place, JSON.stringify(counts), () => (losses(counts).length ? facts(losses(counts)) : nothing()));
            listed(skipped, health.stream.skipped);
            listed(shed, { ...health.outcomes.shed, ...health.outcomes.failed });
            showLog(JSON.stringify([health.state, health.reason, health.reconnects]), health.state);
            since.className = "quiet";
            say(since, `${word} since ${clock(health.since)} (${span(health.since_seconds)})`);
        },
        stop() {
            player.stop();
            editor?.stop();
        },
    };
}
