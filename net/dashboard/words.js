// How things are said: times, numbers, values, and what the node's words mean to people.

const kTime = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});
const kDay = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', hour: '2-digit',
                                               minute: '2-digit'});
const kFull = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', year: 'numeric',
                                                hour: '2-digit', minute: '2-digit',
                                                second: '2-digit'});
const kNumber = new Intl.NumberFormat('en-GB');

export const number = (n) => kNumber.format(n);
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

export function time(when) {
    const date = new Date(when);
    const now = new Date();
    if (date.toDateString() === now.toDateString()) return kTime.format(date);
    return date.getFullYear() === now.getFullYear() ? kDay.format(date) : kFull.format(date);
}
export const fullTime = (when) => kFull.format(new Date(when));

export function ago(when) {
    const seconds = Math.round((Date.now() - new Date(when).getTime()) / 1000);
    if (seconds < 10) return 'just now';
    if (seconds < 60) return 'less than a minute ago';
    if (seconds < 3600) return `${plural(Math.round(seconds / 60), 'minute')} ago`;
    if (seconds < 86400) return `${plural(Math.round(seconds / 3600), 'hour')} ago`;
    return `${plural(Math.round(seconds / 86400), 'day')} ago`;
}

export function bytes(n) {
    if (n < 1000) return `${Math.round(n)} B`;
    if (n < 1e6) return `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)} kB`;
    return `${(n / 1e6).toFixed(1)} MB`;
}

// "a, b and c"
export function names(list) {
    if (list.length < 2) return list.join('');
    return `${list.slice(0, -1).join(', ')} and ${list[list.length - 1]}`;
}

// A value in one line, as a person would say it.
export function valueText(value, limit = 200) {
    let text;
    if (value === undefined) text = 'removed';
    else if (value === null) text = 'empty';
    else if (value === '') text = 'blank text';
    else if (typeof value === 'boolean') text = value ? 'Yes' : 'No';
    else if (typeof value === 'number') text = String(value);
    else if (typeof value === 'string') text = value;
    else if (Array.isArray(value))
        text = value.length ? value.map((v) => valueText(v, limit)).join(', ') : 'none';
    else text = Object.entries(value).map(([k, v]) => `${k}: ${valueText(v, limit)}`).join(' · ');
    return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

// Who wrote something: a site, and by which way if not by hand at it.
export function writer(site, source) {
    const by = {local: '', api: ', through the dashboard or another program', '': ''};
    return `${site || 'unknown site'}${by[source] ?? `, by ${source}`}`;
}

export const kRoles = {
    admin: ['Administrator', 'may change everything, invite and retire sites'],
    writer: ['Writes', 'may change records'],
    reader: ['Reads only', 'holds all records and changes none'],
    relay: ['Passes on', 'forwards to other sites and reads nothing'],
};

export const kTypes = {
    counter: 'a number that is counted up and down',
    'bounded-counter': 'a stock that never goes below its minimum', set: 'a set of words',
    list: 'a list in order', flag: 'yes or no', text: 'a text that several can edit', map: 'a group',
};

// Another clock that is off by more than this can put edits into the wrong order.
export const kSkewAlarmMs = 60000;

export function skewText(ms) {
    const seconds = Math.abs(ms) / 1000;
    if (seconds < 1) return 'same clock';
    const amount = seconds < 90 ? plural(Math.round(seconds), 'second')
        : seconds < 5400 ? plural(Math.round(seconds / 60), 'minute')
        : seconds < 172800 ? plural(Math.round(seconds / 3600), 'hour')
        : plural(Math.round(seconds / 86400), 'day');
    return `clock ${amount} ${ms > 0 ? 'ahead' : 'behind'}`;
}
