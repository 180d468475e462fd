// QR codes of texts (ISO/IEC 18004): byte mode, error correction level M, versions 1 to 40.
// tests/e2e/dashboard reads what this draws with another program's reader.

import {s} from './dom.js';

// For level M, by version from 1: correction bytes in each block, and blocks.
const kCorrection = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
                     26, ...Array(19).fill(28)];
const kBlocks = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20,
                 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49];
const kLevelBits = 0;  // of level M in the format information
const kQuiet = 4;      // modules around the code

const kMasks = [
    (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0,
    (x, y) => (x + y) % 3 === 0, (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
    (x, y) => (x * y) % 2 + (x * y) % 3 === 0, (x, y) => ((x * y) % 2 + (x * y) % 3) % 2 === 0,
    (x, y) => ((x + y) % 2 + (x * y) % 3) % 2 === 0,
];

// Places of the alignment patterns' centres along one side.
function alignment(version) {
    if (version === 1) return [];
    const count = Math.floor(version / 7) + 2;
    const step = version === 32 ? 26
        : Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
    const places = [6];
    for (let i = count - 2; i >= 0; --i) places.push(version * 4 + 10 - i * step);
    return places;
}

// Bytes that fit, data and correction together.
function capacity(version) {
    let modules = (16 * version + 128) * version + 64;
    if (version >= 2) {
        const count = Math.floor(version / 7) + 2;
        modules -= (25 * count - 10) * count - 55;
        if (version >= 7) modules -= 36;
    }
    return Math.floor(modules / 8);
}

const dataBytes = (version) =>
    capacity(version) - kCorrection[version - 1] * kBlocks[version - 1];

// In the field of 256 elements over x^8 + x^4 + x^3 + x^2 + 1.
function times(a, b) {
    let product = 0;
    for (let i = 7; i >= 0; --i) {
        product = (product << 1) ^ ((product >>> 7) * 0x11d);
        product ^= ((b >>> i) & 1) * a;
    }
    return product & 0xff;
}

function generator(degree) {
    const result = Array(degree - 1).fill(0).concat(1);
    let root = 1;
    for (let i = 0; i < degree; ++i) {
        for (let j = 0; j < degree; ++j) {
            result[j] = times(result[j], root);
            if (j + 1 < degree) result[j] ^= result[j + 1];
        }
        root = times(root, 2);
    }
    return result;
}

function correction(data, divisor) {
    const rest = Array(divisor.length).fill(0);
    for (const byte of data) {
        const factor = byte ^ rest.shift();
        rest.push(0);
        divisor.forEach((coefficient, i) => {
            rest[i] ^= times(coefficient, factor);
        });
    }
    return rest;
}

// The text's bytes with their head and padding.
function payload(bytes, version) {
    const bits = [];
    const put = (value, length) => {
        for (let i = length - 1; i >= 0; --i) bits.push((value >>> i) & 1);
    };
    put(4, 4);
    put(bytes.length, version < 10 ? 8 : 16);
    bytes.forEach((byte) => put(byte, 8));
    const room = dataBytes(version) * 8;
    put(0, Math.min(4, room - bits.length));
    put(0, (8 - bits.length % 8) % 8);
    for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8);
    const out = [];
    for (let i = 0; i < bits.length; i += 8)
        out.push(bits.slice(i, i + 8).reduce((byte, bit) => byte << 1 | bit, 0));
    return out;
}

// Split into blocks, each with its correction, and dealt out byte by byte.
function codewords(data, version) {
    const count = kBlocks[version - 1], extra = kCorrection[version - 1];
    const total = capacity(version);
    const longer = total % count, length = Math.floor(total / count) - extra;
    const divisor = generator(extra);
    const blocks = [];
    let at = 0;
    for (let i = 0; i < count; ++i) {
        const size = length + (i >= count - longer ? 1 : 0);
        const part = data.slice(at, at + size);
        at += size;
        blocks.push({part, check: correction(part, divisor)});
    }
    const out = [];
    for (let i = 0; i <= length; ++i)
        for (const {part} of blocks) if (i < part.length) out.push(part[i]);
    for (let i = 0; i < extra; ++i) for (const {check} of blocks) out.push(check[i]);
    return out;
}

class Grid {
    constructor(version) {
        this.version = version;
        this.size = version * 4 + 17;
        this.dark = Array.from({length: this.size}, () => Array(this.size).fill(false));
        this.fixed = Array.from({length: this.size}, () => Array(this.size).fill(false));
        this.patterns();
    }

    set(x, y, dark) {
        this.dark[y][x] = Boolean(dark);
        this.fixed[y][x] = true;
    }

    square(cx, cy, reach, isDark) {
        for (let dy = -reach; dy <= reach; ++dy)
            for (let dx = -reach; dx <= reach; ++dx) {
                const x = cx + dx, y = cy + dy;
                if (x < 0 || y < 0 || x >= this.size || y >= this.size) continue;
                this.set(x, y, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
            }
    }

    patterns() {
        const {size, version} = this;
        for (let i = 0; i < size; ++i) {
            this.set(6, i, i % 2 === 0);
            this.set(i, 6, i % 2 === 0);
        }
        for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]])
            this.square(x, y, 4, (far) => far !== 2 && far !== 4);
        const places = alignment(version), last = places.length - 1;
        places.forEach((x, i) => places.forEach((y, j) => {
            const finder = (i === 0 && j === 0) || (i === 0 && j === last) ||
                           (i === last && j === 0);
            if (!finder) this.square(x, y, 2, (far) => far !== 1);
        }));
        this.format(0);
        if (version < 7) return;
        let rest = version;
        for (let i = 0; i < 12; ++i) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
        const bits = version << 12 | rest;
        for (let i = 0; i < 18; ++i) {
            const a = size - 11 + i % 3, b = Math.floor(i / 3);
            this.set(a, b, (bits >>> i) & 1);
            this.set(b, a, (bits >>> i) & 1);
        }
    }

    format(mask) {
        const {size} = this;
        const data = kLevelBits << 3 | mask;
        let rest = data;
        for (let i = 0; i < 10; ++i) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
        const bits = (data << 10 | rest) ^ 0x5412;
        const bit = (i) => (bits >>> i) & 1;
        for (let i = 0; i <= 5; ++i) this.set(8, i, bit(i));
        this.set(8, 7, bit(6));
        this.set(8, 8, bit(7));
        this.set(7, 8, bit(8));
        for (let i = 9; i < 15; ++i) this.set(14 - i, 8, bit(i));
        for (let i = 0; i < 8; ++i) this.set(size - 1 - i, 8, bit(i));
        for (let i = 8; i < 15; ++i) this.set(8, size - 15 + i, bit(i));
        this.set(8, size - 8, true);
    }

    // In columns of two from the right, upwards and downwards in turn.
    place(bytes) {
        let at = 0;
        for (let right = this.size - 1; right >= 1; right -= 2) {
            if (right === 6) right = 5;
            for (let step = 0; step < this.size; ++step)
                for (let j = 0; j < 2; ++j) {
                    const x = right - j;
                    const up = ((right + 1) & 2) === 0;
                    const y = up ? this.size - 1 - step : step;
                    if (this.fixed[y][x] || at >= bytes.length * 8) continue;
                    this.dark[y][x] = ((bytes[at >>> 3] >>> (7 - (at & 7))) & 1) === 1;
                    ++at;
                }
        }
    }

    mask(number) {
        for (let y = 0; y < this.size; ++y)
            for (let x = 0; x < this.size; ++x)
                if (!this.fixed[y][x] && kMasks[number](x, y)) this.dark[y][x] = !this.dark[y][x];
    }

    // How hard it is to read: long runs, squares, what looks like a corner, too much of one colour.
    penalty() {
        const {size, dark} = this;
        let result = 0, count = 0;
        const line = (at) => {
            let run = 0, text = '';
            for (let i = 0; i < size; ++i) {
                run = i > 0 && at(i) === at(i - 1) ? run + 1 : 1;
                if (run === 5) result += 3;
                else if (run > 5) result += 1;
                text += at(i) ? '1' : '0';
            }
            for (let i = 0; i + 11 <= size; ++i) {
                const part = text.slice(i, i + 11);
                if (part === '10111010000' || part === '00001011101') result += 40;
            }
        };
        for (let i = 0; i < size; ++i) {
            line((j) => dark[i][j]);
            line((j) => dark[j][i]);
        }
        for (let y = 0; y < size; ++y)
            for (let x = 0; x < size; ++x) {
                if (dark[y][x]) ++count;
                if (x + 1 < size && y + 1 < size && dark[y][x] === dark[y][x + 1] &&
                    dark[y][x] === dark[y + 1][x] && dark[y][x] === dark[y + 1][x + 1]) result += 3;
            }
        const share = count / (size * size);
        return result + 10 * Math.floor(Math.abs(share - 0.5) * 20);
    }
}

// Rows of booleans, dark ones true. Throws RangeError when the text is too long for any version.
export function qrModules(text) {
    const bytes = [...new TextEncoder().encode(text)];
    let version = 1;
    while (version <= 40 &&
           dataBytes(version) * 8 < 4 + (version < 10 ? 8 : 16) + bytes.length * 8) ++version;
    if (version > 40) throw new RangeError('the text is too long for a QR code');
    const grid = new Grid(version);
    grid.place(codewords(payload(bytes, version), version));
    let best = 0, least = Infinity;
    for (let number = 0; number < 8; ++number) {
        grid.mask(number);
        grid.format(number);
        const penalty = grid.penalty();
        if (penalty < least) [best, least] = [number, penalty];
        grid.mask(number);
    }
    grid.mask(best);
    grid.format(best);
    return grid.dark;
}

export function qrImage(text, label) {
    const rows = qrModules(text);
    const side = rows.length + 2 * kQuiet;
    const path = rows.map((row, y) => row.map((dark, x) =>
        dark ? `M${x + kQuiet} ${y + kQuiet}h1v1h-1z` : '').join('')).join('');
    return s('svg', {viewBox: `0 0 ${side} ${side}`, role: 'img', class: 'qr-image',
                     'aria-label': label, 'shape-rendering': 'crispEdges'},
             s('rect', {width: side, height: side, fill: '#fff'}), s('path', {d: path, fill: '#000'}));
}
