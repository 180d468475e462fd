// Small helpers to build the page. Text always becomes text nodes: nothing that a record holds is
// ever read as HTML.

const kSvg = 'http://www.w3.org/2000/svg';

function fill(element, props, children) {
    for (const [name, value] of Object.entries(props || {})) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
        else if (name === 'value') element.value = value;
        else element.setAttribute(name, value === true ? '' : String(value));
    }
    element.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null &&
                                                            c !== false && c !== ''));
    return element;
}

export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
export const s = (tag, props, ...children) =>
    fill(document.createElementNS(kSvg, tag), props, children);

const kIcons = {
    home: 'M4 11.5 12 5l8 6.5V20h-5.5v-5h-5v5H4z',
    records: 'M4 6h16M4 12h16M4 18h10',
    decide: 'M12 21v-7M12 14 6 8V4M12 14l6-6V4M3.500 6 6 3.500 8.500 6M15.500 6 18 3.500 20.500 6',
    check: 'M20 7 10 17l-5-5',
    sites: 'M8 8.500a3 3 0 1 0 0-.01M16 15.500a3 3 0 1 0 0-.01M10.500 10.500l3.500 4',
    plus: 'M12 5v14M5 12h14',
    up: 'm6 14 6-6 6 6',
    down: 'm6 10 6 6 6-6',
    close: 'm6 6 12 12M18 6 6 18',
    alert: 'M12 5v8.500M12 18v.4',
    caution: 'M12 3.500 21.500 20h-19zM12 10v4.500M12 17v.2',
    pause: 'M9 8v8M15 8v8',
    sync: 'M7 8h11l-3-3M17 16H6l3 3',
    question: 'M8.500 9a3.500 3.500 0 1 1 5 3.200c-1 .5-1.500 1.100-1.500 2.300M12 18.500v.2',
    info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.500v.2',
    search: 'M10.500 16.500a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM15 15l5 5',
};

export function icon(name, size = 20) {
    return s('svg', {viewBox: '0 0 24 24', width: size, height: size, class: 'icon',
                     'aria-hidden': 'true'},
             s('path', {d: kIcons[name]}));
}

export function button(text, onclick, kind = '', props = {}) {
    return h('button', {type: 'button', class: `button ${kind}`, onclick, ...props}, text);
}

// Rebuilds what is below `element` only when `key` says that it would look different, so that
// neither the focus nor a screen reader is disturbed by every look at the node.
export function slot(element) {
    let last;
    return (key, build) => {
        const now = JSON.stringify(key);
        if (now === last) return;
        last = now;
        element.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
    };
}

// Runs the work of a button: it cannot be pressed twice, and what fails is told.
export async function busy(element, work) {
    element.disabled = true;
    element.setAttribute('aria-busy', 'true');
    try {
        return await work();
    } catch (error) {
        if (error.name !== 'AbortError') toast(error.message, 'bad');
        return undefined;
    } finally {
        element.disabled = false;
        element.removeAttribute('aria-busy');
    }
}

export function toast(text, kind = '') {
    const item = h('div', {class: `toast ${kind}`}, h('span', {}, text),
                   h('button', {type: 'button', class: 'plain', 'aria-label': 'Dismiss',
                                onclick: () => item.remove()}, icon('close', 16)));
    document.getElementById('toasts').append(item);
    setTimeout(() => item.remove(), kind === 'bad' ? 15000 : 5000);
}

export function notice(kind, title, ...body) {
    return h('div', {class: `notice ${kind}`},
             icon(kind === 'bad' || kind === 'warn' ? 'caution' : 'info', 22),
             h('div', {}, title && h('p', {class: 'notice-title'}, title),
               ...body.map((part) => typeof part === 'string' ? h('p', {}, part) : part)));
}

export function empty(title, text, ...actions) {
    return h('div', {class: 'empty'},
             s('svg', {viewBox: '0 0 64 40', width: 64, height: 40, 'aria-hidden': 'true',
                       class: 'mark'},
               s('circle', {cx: 25, cy: 20, r: 15}), s('circle', {cx: 39, cy: 20, r: 15})),
             h('h2', {}, title), text && h('p', {}, text),
             actions.length ? h('div', {class: 'row center'}, actions) : '');
}

export const loading = (text = 'Loading…') => h('p', {class: 'loading', role: 'status'}, text);

export function failed(error, again) {
    return notice('bad', 'This could not be shown', error.message,
                  again && button('Try again', again, 'small'));
}

// A modal question. Resolves with what `build` returned for the pressed action, or null.
// build(close) answers the dialog's content.
export function dialog(title, build) {
    return new Promise((resolve) => {
        const box = h('dialog', {'aria-labelledby': 'dialog-title', class: 'dialog'});
        let answer = null;
        const close = (value) => {
            answer = value ?? null;
            box.close();
        };
        box.addEventListener('close', () => {
            box.remove();
            resolve(answer);
        });
        box.append(h('h2', {id: 'dialog-title'}, title), ...[build(close)].flat(Infinity));
        document.body.append(box);
        box.showModal();
    });
}

// Asks before something that cannot easily be taken back. With `type`, that word has to be typed.
export function confirmed(title, paragraphs, action, {danger = false, type = ''} = {}) {
    return dialog(title, (close) => {
        const yes = button(action, () => close(true), danger ? 'danger' : 'primary',
                           {disabled: type !== ''});
        const typed = type && h('label', {class: 'field'},
            h('span', {class: 'label'}, `Type ${type} to confirm`),
            h('input', {autocomplete: 'off', spellcheck: 'false', oninput: (event) => {
                yes.disabled = event.target.value.trim() !== type;
            }}));
        return [paragraphs.map((text) => h('p', {}, text)), typed || [],
                h('div', {class: 'row end'}, button('Cancel', () => close(null)), yes)];
    });
}

export async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
        toast('Copied.');
    } catch {
        toast('The browser does not let this page copy; select the text instead.', 'bad');
    }
}
