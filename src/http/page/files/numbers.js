// The last hour in numbers, as the box keeps it in memory.
import { get } from "./api.js";
import { el, say } from "./dom.js";
import { plot } from "./plot.js";
import { bytes, rate } from "./words.js";

const PERIOD = 10000;

// How much of the hour is shown, in samples and in words: as much as the box has.
const SPANS = [[30, ["5 min ago", "2.5 min"]], [120, ["20 min ago", "10 min"]], [Infinity, ["1 h ago", "30 min"]]];

function spanOf(box) {
    const known = box.free_memory_bytes.length - Math.max(0, box.free_memory_bytes.findIndex((value) => value !== null));
    return SPANS.find(([samples]) => known <= samples);
}

export function numbersView() {
    const place = el("div", { class: "plots" });
    const told = el("p", { class: "quiet" });
    const element = el("section", {}, el("div", { class: "heading" }, el("h1", {}, "Numbers over time"), told), place);
    const draw = ({ at_ms: at, step_seconds: stepSeconds, box, cameras, models }) => {
        const [samples, times] = spanOf(box);
        const one = (title, series, tell, least) => plot({
            title, at, stepSeconds, tell, least, times,
            series: series.map((each) => ({ ...each, values: each.values.slice(-Math.min(samples, each.values.length)) })),
        });
        const perSecond = (value) => rate(value);
        place.replaceChildren(
            ...Object.entries(cameras).map(([id, camera]) => one(`Camera ${id}: frames a second`, [
                { name: "received", values: camera.received_fps, kind: "second" },
                { name: "analysed", values: camera.analysed_fps, kind: "first" },
            ], perSecond)),
            ...Object.entries(models).map(([name, model]) => one(`Model ${name}: transactions a second`, [
                { name: "capacity", values: model.capacity_tps, kind: "second" },
                { name: "done", values: model.load_tps, kind: "first" },
                { name: "throttled", values: model.throttled, kind: "third" },
            ], perSecond)),
            one("Processors, in percent of all", [{ name: "ocelli", values: box.processor_percent, kind: "first" }], (value) => `${rate(value)} %`, 100),
            one("Memory of ocelli", [{ name: "all its processes", values: box.memory_bytes, kind: "first" }], bytes),
            one("Memory of the box", [{ name: "free for anyone", values: box.free_memory_bytes, kind: "second" }], bytes),
        );
    };
    const renew = async () => {
        if (document.visibilityState === "hidden") return;
        try {
            const history = await get("/api/history");
            say(told, history.at_ms ? "One sample in 10 s, kept in memory for an hour" : "The first sample comes in a moment");
            // A person who looks closely is not disturbed.
            if (history.at_ms && !place.matches(":has(svg:hover)")) draw(history);
        } catch (error) { say(told, error.message); }
    };
    renew();
    const timer = setInterval(renew, PERIOD);
    return { element, stop: () => clearInterval(timer) };
}
