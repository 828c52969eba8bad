// What was seen: one row for each object, the newest first, as it happens.
import { checkVideo, get, lines, path, picture } from "./api.js";
import { box, isInView, merged, newestFirst, take } from "./box.js";
import { look } from "./dialog.js";
import { el, facts, pill, say, show } from "./dom.js";
import { ago, clock, count, plural, secondsSince, span } from "./words.js";

const TIMES = [[900, "15 minutes"], [3600, "hour"], [6 * 3600, "6 hours"], [24 * 3600, "day"], [7 * 24 * 3600, "week"]];
const FOLLOWED = 3600;
const MOST_ROWS = 200;

const percent = (confidence) => `${Math.round(confidence * 100)} %`;

function duration(object) {
    const end = isInView(object) ? new Date() : new Date(object.endedAt ?? object.at);
    return span((end - new Date(object.beganAt)) / 1000);
}

async function lookAt(object) {
    const place = el("div", { class: "event-picture" }, el("p", { class: "quiet" }, "Looking for its picture"));
    const dialog = look(`${object.label}, camera ${object.camera}`, place, facts([
        ["First seen", clock(object.beganAt)],
        isInView(object) ? ["Still in view", `for ${duration(object)}`] : ["Last seen", clock(object.endedAt ?? object.at)],
        ["Regions", object.regions.join(", ") || "none"],
        ["Confidence", percent(object.confidence)],
        ["Model", `${object.model} ${object.version}`],
        ["Events", object.ids.join(", ")],
    ]));
    let why = box.status?.cameras[object.camera]?.blackout ? "No clip: video would show what is blacked out in the pictures of this camera." : "";
    if (object.clip) {
        try {
            await checkVideo(object.clip);
            // It may have been closed meanwhile.
            return dialog.open && play(object, place, dialog);
        } catch (error) { why = `No clip to show: ${error.message}`; }
    }
    try {
        const { events } = await get("/api/events/pictures");
        const id = events.find((event) => object.ids.includes(event));
        if (!id) {
            place.replaceChildren(el("p", { class: "quiet" }, "No picture of it is kept. The box keeps those of the last events in its memory, and takes a few a minute.", why && ` ${why}`));
            return;
        }
        const { url } = await picture(path("events", id, "picture"));
        if (!dialog.open) return URL.revokeObjectURL(url);
        place.replaceChildren(el("img", { src: url, alt: `${object.label} before camera ${object.camera}` }), el("p", { class: "quiet", hidden: !why }, why));
        dialog.addEventListener("close", () => URL.revokeObjectURL(url));
    } catch (error) { place.replaceChildren(el("p", { class: "notice bad" }, error.message)); }
}

function play(object, place, dialog) {
    const player = el("video", { src: object.clip, controls: true, autoplay: true, playsinline: true, "aria-label": `Clip of ${object.label} before camera ${object.camera}` });
    player.muted = true;
    player.addEventListener("error", () => place.replaceChildren(el("p", { class: "notice bad" }, "This browser cannot play the clip: it may not know the camera's codec.")));
    place.replaceChildren(player);
    dialog.addEventListener("close", () => {
        player.pause();
        player.removeAttribute("src");
        player.load();
    });
}

// The row of an object. It stays the same element while its object changes, so that nobody clicks at one that has just gone.
class Row {
    #button = el("button", { type: "button", class: "event", on: { click: () => lookAt(this.#object) } });
    #object = null;
    element = el("li", {}, this.#button);

    update(object) {
        this.#object = object;
        this.#button.dataset.object = object.key;
        show(this.#button, JSON.stringify([object.seq, isInView(object)]), () => [
            el("time", { datetime: object.beganAt, title: ago(secondsSince(object.beganAt)) }, clock(object.beganAt)),
            el("b", { class: "label" }, object.label),
            el("span", { class: "camera-name" }, object.camera),
            el("span", { class: "regions" }, object.regions.map((region) => el("span", { class: "chip" }, region))),
            el("span", { class: "confidence quiet" }, percent(object.confidence)),
            el("span", { class: "state" }, isInView(object) ? pill("good", "In view") : el("span", { class: "quiet" }, `for ${duration(object)}`)),
        ]);
    }
}

export function eventsView() {
    const filter = { camera: "", label: "", region: "" };
    let seconds = FOLLOWED;
    // Older ones than those that the page follows, read once for the chosen time.
    let older = new Map();
    let ending = null;
    let newest = null;
    const rows = new Map();
    const list = el("ol", { class: "events" });
    const nothing = el("p", { class: "events empty", hidden: true }, "Nothing was seen in this time.");
    const sum = el("p", { class: "quiet" });
    const problem = el("p", { class: "notice bad", hidden: true });
    const selects = Object.keys(filter).map((name) => el("select", { "aria-label": name, on: { change: (event) => { filter[name] = event.target.value; draw(); } } }));
    const time = el("select", { "aria-label": "time", on: { change: (event) => { seconds = Number(event.target.value); readOlder(); } } },
        TIMES.map(([value, text]) => el("option", { value, selected: value === seconds }, `The last ${text}`)));

    async function readOlder() {
        ending?.abort();
        ending = new AbortController();
        older = new Map();
        problem.hidden = true;
        try {
            if (seconds > FOLLOWED) {
                for await (const some of lines(`/api/events?since_seconds=${seconds}`, ending.signal)) some.forEach((event) => take(event, older));
            }
        } catch (error) {
            if (error.name === "AbortError") return;
            say(problem, error.message);
            problem.hidden = false;
        }
        draw();
    }

    function choices(select, name, values) {
        show(select, JSON.stringify([values, filter[name]]), () => [el("option", { value: "" }, `Every ${name}`),
            ...values.map((value) => el("option", { value, selected: value === filter[name] }, value))]);
    }

    function draw() {
        if (!newest) return;
        const all = newestFirst(merged(older, newest.objects));
        const different = (values) => [...new Set(values)].sort();
        choices(selects[0], "camera", different([...Object.keys(newest.status?.cameras ?? {}), ...all.map(({ camera }) => camera)]));
        choices(selects[1], "label", different(all.map(({ label }) => label)));
        choices(selects[2], "region", different(all.flatMap(({ regions }) => regions)));
        const isMeant = (object) => (!filter.camera || object.camera === filter.camera) && (!filter.label || object.label === filter.label)
            && (!filter.region || object.regions.includes(filter.region)) && secondsSince(object.at) <= seconds;
        const meant = all.filter(isMeant);
        const shown = meant.slice(0, MOST_ROWS);
        say(sum, meant.length > shown.length ? `${count(shown.length)} of ${count(meant.length)} objects` : plural(meant.length, "object"));
        nothing.hidden = shown.length > 0;
        place(shown);
    }

    // Puts the rows in order, and leaves those alone that are in their place.
    function place(shown) {
        const keys = new Set(shown.map(({ key }) => key));
        for (const [key, row] of rows) {
            if (keys.has(key)) continue;
            row.element.remove();
            rows.delete(key);
        }
        shown.forEach((object, index) => {
            if (!rows.has(object.key)) rows.set(object.key, new Row());
            const row = rows.get(object.key);
            row.update(object);
            if (list.children[index] !== row.element) list.insertBefore(row.element, list.children[index] ?? null);
        });
        list.hidden = shown.length === 0;
    }

    const element = el("section", {}, el("div", { class: "heading" }, el("h1", {}, "Events"), sum),
        el("div", { class: "filters" }, selects, time), problem, nothing, list);
    return {
        element,
        update(box) {
            newest = box;
            draw();
        },
        stop: () => ending?.abort(),
    };
}
