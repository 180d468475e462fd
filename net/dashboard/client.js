// How the page speaks to the node: every call carries the token, none carries a cookie. Errors are
// ApiError with a sentence that can be shown as it is.

const kTokenName = 'inos.token';

export class ApiError extends Error {
    constructor(status, code, message, field) {
        super(message);
        this.status = status;
        this.code = code;
        this.field = field || '';
    }
}

let token = '';
let onRefused = () => {};

// The token comes from the address once ("#token=..."), from then on from the browser's storage.
export function takeToken() {
    const given = /^#token=([^&]+)/.exec(location.hash);
    if (given) {
        history.replaceState(null, '', location.pathname + '#/');
        setToken(decodeURIComponent(given[1]), false);
    } else {
        token = sessionStorage.getItem(kTokenName) || localStorage.getItem(kTokenName) || '';
    }
    return token !== '';
}

export function setToken(value, remember) {
    token = value.trim();
    sessionStorage.setItem(kTokenName, token);
    if (remember) localStorage.setItem(kTokenName, token);
}

export function forgetToken() {
    token = '';
    sessionStorage.clear();
    localStorage.removeItem(kTokenName);
}

export function whenRefused(then) {
    onRefused = then;
}

export function recordsPath(collection) {
    return `/v1/collections/${encodeURIComponent(collection)}/records`;
}

export function recordPath(collection, id) {
    return `${recordsPath(collection)}/${encodeURIComponent(id)}`;
}

export function query(params) {
    const parts = Object.entries(params)
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return parts.length ? `?${parts.join('&')}` : '';
}

async function send(method, path, body, extra, signal) {
    const headers = {Authorization: `Bearer ${token}`, ...extra};
    if (method !== 'GET') headers['Content-Type'] = 'application/json';
    const options = {method, headers, cache: 'no-store', credentials: 'omit', signal};
    if (body !== undefined) options.body = JSON.stringify(body);
    let response;
    try {
        response = await fetch(path, options);
    } catch (error) {
        if (error.name === 'AbortError') throw error;
        throw new ApiError(0, 'unreachable', 'This site’s node does not answer.');
    }
    if (response.ok) return response;
    let error = {};
    try {
        error = (await response.json()).error || {};
    } catch {
        // Not the node's own answer; the status has to do.
    }
    const fallback = `The node answered with status ${response.status}.`;
    const failed =
        new ApiError(response.status, error.code || '', error.message || fallback, error.field);
    if (response.status === 401) onRefused();
    throw failed;
}

// The answer's JSON, null for an empty one.
export async function call(method, path, body, headers, signal) {
    const response = await send(method, path, body, headers, signal);
    if (response.status === 204) return null;
    try {
        const text = await response.text();
        return text ? JSON.parse(text) : null;
    } catch (error) {
        if (error.name === 'AbortError') throw error;
        throw new ApiError(0, 'unreachable', 'The node’s answer broke off.');
    }
}

export const get = (path, signal) => call('GET', path, undefined, {}, signal);
export const post = (path, body) => call('POST', path, body);

// The change feed: calls `onEvent` for each changed record, and `onOpen` when the feed begins,
// until the signal ends it or the node does. EventSource could not send the token.
export async function follow(signal, onOpen, onEvent) {
    const response =
        await send('GET', '/v1/changes', undefined, {Accept: 'text/event-stream'}, signal);
    onOpen();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
        const {value, done} = await reader.read();
        if (done) return;
        rest += value;
        const lines = rest.split('\n');
        rest = lines.pop();
        for (const line of lines)
            if (line.startsWith('data:')) onEvent(JSON.parse(line.slice(5)));
    }
}
