// The regions and masks of a camera, drawn over its picture.
import { svg } from "./dom.js";

// The kinds of areas: the key in the settings, what it is called, and what it does.
export const KINDS = {
    regions: { name: "Region", add: "Add a region", what: "Events say which regions an object has entered." },
    ignore: { name: "Mask", add: "Add a mask", what: "What stands in it is not reported." },
    include: { name: "Only here", add: "Add an area that alone counts", what: "What stands outside of all of these is not reported." },
};

export const middle = (points) => points.reduce(([x, y], [otherX, otherY]) => [x + otherX / points.length, y + otherY / points.length], [0, 0]);

export class AreaLayer {
    // Areas as the box knows them: `regions` with names, `include` and `ignore` as lists of corners in ratios.
    areas = { regions: [], include: [], ignore: [] };
    width = 1600;
    height = 900;

    constructor() {
        this.element = svg("svg", { class: "areas", role: "img", "aria-label": "Regions and masks" });
        this.setSize(this.width, this.height);
    }

    // The size of the picture in pixels, so that names are not distorted.
    setSize(width, height) {
        const box = `0 0 ${width} ${height}`;
        if (this.element.getAttribute("viewBox") === box) return;
        [this.width, this.height] = [width, height];
        this.element.setAttribute("viewBox", box);
        this.draw();
    }

    show(areas) {
        this.areas = areas;
        this.draw();
    }

    // So many pixels of the screen, in pixels of the picture: it is drawn smaller on a phone.
    ofScreen(pixels) {
        return (pixels * this.width) / (this.element.clientWidth || this.width);
    }

    at([x, y]) {
        return [x * this.width, y * this.height];
    }

    // One area as a polygon with its name; `isChosen` makes it stand out.
    shape(kind, points, name, isChosen = false) {
        const corners = points.map((point) => this.at(point).map((number) => number.toFixed(1)).join(",")).join(" ");
        const [x, y] = this.at(middle(points));
        const size = Math.max(this.width / 45, this.ofScreen(13));
        return svg("g", { class: `area ${kind}${isChosen ? " chosen" : ""}` }, svg("polygon", { points: corners }),
            svg("text", { x, y, "text-anchor": "middle", "font-size": size, "dominant-baseline": "middle" }, name));
    }

    shapes() {
        const { regions, include, ignore } = this.areas;
        return [
            ...include.map((points) => this.shape("include", points, KINDS.include.name)),
            ...ignore.map((points) => this.shape("ignore", points, KINDS.ignore.name)),
            ...regions.map(({ name, points }) => this.shape("region", points, name)),
        ];
    }

    draw() {
        this.element.replaceChildren(...this.shapes());
    }
}
