// A small plot of numbers over the last hour.
import { el, say, svg } from "./dom.js";
import { clock } from "./words.js";

const WIDTH = 360;
const HEIGHT = 84;

// A round number a little above `value`.
function roundUp(value) {
    if (!(value > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15].map((step) => step * power).find((step) => step >= value * 1.05) ?? value;
}

// The line of a series; it is broken where nothing is known.
function line(values, most) {
    let isDown = false;
    return values.map((value, index) => {
        if (value === null) {
            isDown = false;
            return "";
        }
        const x = (index / (values.length - 1)) * WIDTH;
        const y = HEIGHT - 2 - (value / most) * (HEIGHT - 6);
        const step = `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
        // A single known number is a point.
        const isAlone = !isDown && (values[index + 1] ?? null) === null;
        isDown = true;
        return isAlone ? `${step}h0.01` : step;
    }).join("");
}

// `series`: `{ name, values, kind }`, the oldest value first and null where nothing is known; `tell` makes a text of a number,
// and `times` says when the first value was, and the one in the middle.
export function plot({ title, series, at, stepSeconds, tell, times, least = 0 }) {
    const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
    const most = Math.max(least, roundUp(Math.max(...known, 0)));
    const newest = ({ values }) => values.findLast((value) => value !== null);
    const mark = svg("line", { class: "mark", y1: 0, y2: HEIGHT, x1: -9, x2: -9 });
    const drawing = svg("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${series.map((one) => `${one.name} ${newest(one) === undefined ? "unknown" : tell(newest(one))}`).join(", ")}` },
        [0.5, 1].map((part) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT - 2 - part * (HEIGHT - 6), y2: HEIGHT - 2 - part * (HEIGHT - 6) })),
        svg("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT - 2, y2: HEIGHT - 2 }),
        series.map(({ values, kind }) => svg("path", { class: `series ${kind}`, d: line(values, most) })), mark);
    const numbers = series.map(() => el("b"));
    const when = el("span", { class: "quiet" });
    const showAt = (index) => {
        series.forEach((one, which) => {
            const value = index === null ? newest(one) : one.values[index];
            say(numbers[which], value === null || value === undefined ? "–" : tell(value));
        });
        const { length } = series[0].values;
        say(when, index === null ? "now" : clock(at - (length - 1 - index) * stepSeconds * 1000));
        const x = index === null ? -9 : (index / (length - 1)) * WIDTH;
        mark.setAttribute("x1", x);
        mark.setAttribute("x2", x);
    };
    drawing.addEventListener("pointermove", (event) => {
        const { left, width } = drawing.getBoundingClientRect();
        showAt(Math.max(0, Math.min(series[0].values.length - 1, Math.round(((event.clientX - left) / width) * (series[0].values.length - 1)))));
    });
    drawing.addEventListener("pointerleave", () => showAt(null));
    showAt(null);
    return el("figure", { class: "card card-body", "data-plot": title },
        el("figcaption", {}, el("h2", {}, title), el("div", { class: "legend" }, series.map(({ name, kind }, which) => el("span", { class: `key ${kind}` }, `${name} `, numbers[which])), when)),
        el("div", { class: "plot-place" }, drawing, el("span", { class: "most" }, tell(most))),
        el("div", { class: "times" }, [...times, "now"].map((time) => el("span", {}, time))));
}
