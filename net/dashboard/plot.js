// A small line of what the page has seen, drawn at the pixel size that it is shown in.

import {s} from './dom.js';
import {time} from './words.js';

const kHeight = 64;
const kGap = 4;

// samples: [{at, value}], the oldest first. `text` says a value in words.
export function plot(samples, width, label, text) {
    const values = samples.map((sample) => sample.value);
    const top = Math.max(...values, 1);
    const first = samples[0].at;
    const span = Math.max(samples[samples.length - 1].at - first, 1);
    const x = (sample) => kGap + (width - 2 * kGap) * (sample.at - first) / span;
    const y = (sample) => kHeight - kGap - (kHeight - 3 * kGap) * sample.value / top;
    const points = samples.map((one) => `${x(one).toFixed(1)},${y(one).toFixed(1)}`);
    const last = samples[samples.length - 1];
    const base = kHeight - kGap;
    return s('svg', {class: 'plot', viewBox: `0 0 ${width} ${kHeight}`, width, height: kHeight,
                     role: 'img',
                     'aria-label': `${label} since ${time(first)}: now ${text(last.value)}, at ` +
                                   `most ${text(Math.max(...values))}`},
             s('line', {class: 'plot-base', x1: kGap, x2: width - kGap, y1: base, y2: base}),
             s('polygon', {class: 'plot-area', points: `${kGap},${base} ${points.join(' ')} ` +
                                                       `${x(last).toFixed(1)},${base}`}),
             s('polyline', {class: 'plot-line', points: points.join(' ')}),
             s('circle', {class: 'plot-dot', cx: x(last), cy: y(last), r: 3}));
}
