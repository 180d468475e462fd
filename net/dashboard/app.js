// The frame: the token, the areas, which page is shown. A page is a function
// (root, parts, {on}) that fills `root` and registers with `on` what is to be undone when it goes.

import {forgetToken, setToken, takeToken, whenRefused} from './client.js';
import {button, h, icon, slot} from './dom.js';
import {decide} from './conflicts.js';
import {overview} from './overview.js';
import {record} from './record.js';
import {collection, collections, create} from './records.js';
import {sitesPage} from './members.js';
import {start, state, stop, subscribe} from './state.js';
import {check} from './verify.js';

const kAreas = [
    ['', 'Overview', 'home'], ['records', 'Records', 'records'], ['decide', 'To decide', 'decide'],
    ['check', 'Check', 'check'], ['sites', 'Sites', 'sites'],
];

const main = document.getElementById('main');
const nav = document.getElementById('nav');
const whoami = document.getElementById('whoami');
const showNav = slot(nav);
const showWho = slot(whoami);
let cleanups = [];
let running = false;

function parts() {
    return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map((part) => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
}

function pageOf(path) {
    const [area, name, id] = path;
    if (!area) return ['Overview', overview];
    if (area === 'records' && id !== undefined) return [`${id} · ${name}`, record];
    if (area === 'records' && name !== undefined) return [name, collection];
    if (area === 'records') return ['Records', collections];
    if (area === 'new') return ['New record', create];
    if (area === 'decide') return ['To decide', decide];
    if (area === 'check') return ['Check', check];
    if (area === 'sites') return ['Sites', sitesPage];
    return ['Not found', notFound];
}

function notFound(root) {
    root.append(h('h1', {}, 'There is no such page'),
                h('p', {}, h('a', {href: '#/'}, 'Back to the overview')));
}

function undo() {
    cleanups.forEach((cleanup) => cleanup());
    cleanups = [];
}

function show() {
    if (!running) return;
    undo();
    const path = parts();
    const [title, page] = pageOf(path);
    const root = h('div', {class: 'page'});
    main.replaceChildren(root);
    page(root, path, {on: (cleanup) => cleanups.push(cleanup)});
    const site = state.status ? ` · ${state.status.site.name}` : '';
    document.title = `${title}${site}`;
    window.scrollTo(0, 0);
    drawNav();
}

function drawNav() {
    const area = parts()[0] === 'new' ? 'records' : parts()[0] || '';
    const waiting = state.decisions ? state.decisions.count : 0;
    showNav([running, area, state.decisions], () => running ? kAreas.map(([id, text, sign]) =>
        h('a', {href: `#/${id}`, 'aria-current': id === area && 'page'}, icon(sign, 22),
          h('span', {class: 'nav-text'}, text),
          id === 'decide' && waiting > 0
              ? h('span', {class: 'badge'}, `${waiting}${state.decisions.more ? '+' : ''}`,
                  h('span', {class: 'hidden'}, ' waiting'))
              : '')) : []);
    const status = state.status;
    showWho([running, status && status.site, status && status.version], () => running && status ? [
        h('p', {class: 'who-site'}, status.site.name),
        h('p', {class: 'who-space'}, `${status.spaces[0].name} · version ${status.version}`),
        button('Lock this page', lock, 'quiet small')] : []);
}

function lock() {
    forgetToken();
    ask('');
}

// The page for the token.
function ask(problem) {
    running = false;
    stop();
    undo();
    drawNav();
    document.getElementById('shell').classList.add('locked');
    document.title = 'Unlock · Inosculate';
    const field = h('input', {id: 'token', type: 'password', autocomplete: 'off', required: true,
                              spellcheck: 'false', 'aria-describedby': 'token-help'});
    const keep = h('input', {type: 'checkbox', id: 'keep'});
    const form = h('form', {class: 'card unlock', onsubmit: (event) => {
        event.preventDefault();
        setToken(field.value, keep.checked);
        begin();
    }},
        h('h1', {}, 'Welcome'),
        h('p', {class: 'lead'}, 'This page belongs to one of your sites. It opens with that ' +
                                'site’s key.'),
        problem && h('p', {class: 'error', role: 'alert'}, problem),
        h('label', {class: 'field', for: 'token'}, h('span', {class: 'label'}, 'Key'), field),
        h('p', {class: 'help', id: 'token-help'}, 'On the machine of the site, run ',
          h('code', {}, 'inos dashboard'), ' and open the address that it prints: then this page ' +
          'opens by itself. Or copy the key from the file ', h('code', {}, 'api.token'),
          ' in the site’s folder.'),
        h('label', {class: 'choice'}, keep, h('span', {}, 'Remember it in this browser')),
        h('button', {class: 'button primary wide', type: 'submit'}, 'Open'));
    main.replaceChildren(form);
    field.focus();
}

async function begin() {
    running = true;
    document.getElementById('shell').classList.remove('locked');
    main.replaceChildren(h('p', {class: 'loading', role: 'status'}, 'Asking the node…'));
    await start();
    if (running) show();
}

whenRefused(() => {
    if (!running) return;
    forgetToken();
    ask('That key does not open this site. It may have been changed.');
});
subscribe(drawNav);
document.getElementById('skip').addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
});
window.addEventListener('hashchange', () => {
    if (location.hash.startsWith('#token=')) {
        takeToken();
        if (running) stop();
        begin();
        return;
    }
    show();
    if (running) main.focus({preventScroll: true});
});

if (takeToken()) begin();
else ask('');
