// The sites as a map: this one in the middle, the others around it, a line where there is one.
// Drawn at the pixel size that it is shown in, so that names stay readable on a phone. The table
// below it says the same in words.

import {h, icon, s} from './dom.js';

const kSigns = {self: 'home', even: 'check', moving: 'sync', away: 'pause', apart: 'question',
                differs: 'alert'};

function short(name, length) {
    return name.length > length ? `${name.slice(0, length - 1)}…` : name;
}

// Where this site stands: in the middle, or left of its only other one.
function middle(count, width, height) {
    const aside = count === 1 ? Math.min(width / 4, 130) : 0;
    return {x: width / 2 - aside, y: height / 2 - 12};
}

function places(count, width, height) {
    const center = {x: width / 2, y: height / 2 - 12};
    if (count === 1) return [{x: width - middle(1, width, height).x, y: center.y}];
    const across = Math.min(width / 2 - 62, 250);
    const down = height / 2 - 62;
    const from = count === 2 ? Math.PI : -Math.PI / 2;
    return Array.from({length: count}, (_, i) => {
        const angle = from + 2 * Math.PI * i / count;
        return {x: center.x + across * Math.cos(angle), y: center.y + down * Math.sin(angle)};
    });
}

function node(site, place, letters, radius) {
    const sign = radius, half = sign / 2;
    return s('g', {class: `site ${site.kind}`, transform: `translate(${place.x} ${place.y})`},
             s('title', {}, `${site.name}: ${site.words}`),
             s('circle', {r: radius, class: 'site-back'}),
             s('circle', {r: radius, class: 'site-dot'}),
             s('g', {transform: `translate(${-half} ${-half})`, class: 'site-sign'},
               icon(kSigns[site.kind], sign)),
             s('text', {y: radius + 19, class: 'site-name'}, short(site.name, letters)),
             s('text', {y: radius + 36, class: 'site-words'}, site.words));
}

export function map(all, width) {
    const self = all.find((site) => site.kind === 'self');
    const others = all.filter((site) => site.kind !== 'self');
    const height = others.length < 3 ? 220 : Math.min(420, 330 + 12 * Math.max(0, others.length - 5));
    const center = middle(others.length, width, height);
    const around = places(others.length, width, height);
    const letters = width < 480 ? 13 : 20;
    const radius = width < 480 || others.length > 5 ? 22 : 30;
    const lines = others.map((site, i) => s('line', {
        class: `link ${site.kind}`, x1: center.x, y1: center.y, x2: around[i].x, y2: around[i].y}));
    return h('div', {class: 'map'},
             s('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
                       'aria-label': `Map of ${all.length} sites; the table below says the same`},
               lines, self && node(self, center, letters, radius),
               others.map((site, i) => node(site, around[i], letters, radius))));
}
