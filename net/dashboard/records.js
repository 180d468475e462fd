// Collections, the records of one, searching them, and making a new one.

import {call, get, query, recordPath, recordsPath} from './client.js';
import {busy, button, empty, failed, h, icon, loading, toast} from './dom.js';
import {fieldForm} from './fields.js';
import {onRecords, refreshSchema, state} from './state.js';
import {number, plural, valueText} from './words.js';

const kPage = 50;
const kColumns = 4;
const kWordMax = 24;  // what is not broken into lines

export function crumbs(...trail) {
    return h('nav', {class: 'crumbs', 'aria-label': 'You are here'}, h('ol', {},
        trail.map(([text, href]) => h('li', {}, href ? h('a', {href}, text)
            : h('span', {'aria-current': 'page'}, text)))));
}

export const linkOf = (collection, id, view = '') =>
    `#/records/${encodeURIComponent(collection)}` +
    (id === undefined ? '' : `/${encodeURIComponent(id)}`) + (view && `/${view}`);

export const fieldsOf = (collection) =>
    (state.schema[collection] && state.schema[collection].fields) || {};

export function collections(root, path, {on}) {
    const list = h('div', {}, loading());
    root.append(h('div', {class: 'page-head'}, h('h1', {}, 'Records'),
                  h('a', {class: 'button primary', href: '#/new'}, icon('plus'), 'New record')),
                list);
    const draw = async () => {
        try {
            const all = await get('/v1/collections');
            if (!all.length)
                return list.replaceChildren(empty('No records yet', 'Customers, products, orders: ' +
                    'what one site writes, every site gets. Make the first record here, or import ' +
                    'a file with inos import.'));
            list.replaceChildren(h('ul', {class: 'cards'}, all.map((one) => h('li', {},
                h('a', {class: 'card tile', href: linkOf(one.name)},
                  h('span', {class: 'tile-name'}, one.name),
                  h('span', {class: 'tile-count'}, plural(one.records, 'record')))))));
        } catch (error) {
            list.replaceChildren(failed(error, draw));
        }
    };
    on(onRecords(draw));
    draw();
}

// A where clause of the three inputs. Texts are quoted; names that are no plain words, too.
function clause(field, how, text) {
    if (!text.trim()) return '';
    const name = field.split('.').map((part) =>
        /^[A-Za-z_][A-Za-z0-9_]*$/.test(part) ? part : `\`${part}\``).join('.');
    const quoted = `"${text.trim().replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    if (how === 'is') {
        const plain = text.trim();
        if (/^-?\d+(\.\d+)?$/.test(plain)) return `(${name} = ${plain} or ${name} = ${quoted})`;
        if (/^(yes|true)$/i.test(plain)) return `(${name} = true or ${name} = ${quoted})`;
        if (/^(no|false)$/i.test(plain)) return `(${name} = false or ${name} = ${quoted})`;
    }
    return `${name} ${{is: '=', contains: 'contains', prefix: 'prefix'}[how]} ${quoted}`;
}

function columnsOf(name, records) {
    const seen = new Map();
    for (const record of records)
        for (const key of Object.keys(record.fields)) seen.set(key, (seen.get(key) || 0) + 1);
    const known = Object.keys(fieldsOf(name)).filter((key) => seen.has(key));
    const others = [...seen.keys()].filter((key) => !known.includes(key))
        .sort((a, b) => seen.get(b) - seen.get(a));
    const all = [...known, ...others];
    const isGroup = (key) => records.some(({fields}) => fields[key] !== null &&
        typeof fields[key] === 'object' && !Array.isArray(fields[key]));
    all.sort((a, b) => isGroup(a) - isGroup(b));  // stable: plain values first
    const title = all.find((key) => /^(name|title)$/i.test(key));
    const ordered = title ? [title, ...all.filter((key) => key !== title)] : all;
    return {shown: ordered.slice(0, kColumns), all: [...new Set([...Object.keys(fieldsOf(name)),
                                                                ...all])]};
}

function cell(column, value) {
    const none = value === undefined || value === null;
    const text = none ? '–' : valueText(value, 60);
    const kind = typeof value === 'number' ? 'num' : text.length <= kWordMax ? 'word' : '';
    return h('td', {'data-label': column, class: none ? 'soft' : kind}, text);
}

const numeric = (records, column) =>
    records.every(({fields}) => ['number', 'undefined'].includes(typeof fields[column]));

function rowOf(name, record, columns) {
    const fights = Object.keys(record.conflicts || {}).length;
    return h('tr', {}, h('th', {scope: 'row'}, h('a', {href: linkOf(name, record.id)}, record.id),
                         fights ? h('span', {class: 'tag warn'}, 'to decide') : ''),
             columns.map((column) => cell(column, record.fields[column])));
}

function searchForm(columns, submit) {
    const field = h('select', {'aria-label': 'Field to look in'}, ['id', ...columns].map((column) =>
        h('option', {value: column}, column)));
    if (columns.length) field.selectedIndex = 1;
    const how = h('select', {'aria-label': 'How to compare'},
                  [['contains', 'contains'], ['prefix', 'begins with'], ['is', 'is']]
                      .map(([value, text]) => h('option', {value}, text)));
    const text = h('input', {type: 'search', 'aria-label': 'What to look for',
                             placeholder: 'Look for…'});
    const expert = h('input', {type: 'text', id: 'where', spellcheck: 'false', autocomplete: 'off',
                               placeholder: 'city = "Kiel" and not exists contact.phone'});
    const error = h('p', {class: 'error', role: 'alert', hidden: true});
    const details = h('details', {class: 'expert'}, h('summary', {}, 'Search with a condition'),
                      h('label', {class: 'field', for: 'where'},
                        h('span', {class: 'label'}, 'Condition'), expert));
    const form = h('form', {class: 'search', role: 'search', onsubmit: (event) => {
        event.preventDefault();
        submit(details.open && expert.value.trim() ? expert.value.trim()
            : clause(field.value, how.value, text.value));
    }}, h('div', {class: 'search-row'}, field, how, text,
          h('button', {type: 'submit', class: 'button'}, icon('search', 18), 'Search')),
        details, error);
    return {form, error};
}

export function collection(root, [, name], {on}) {
    const body = h('div', {}, loading());
    const searchBox = h('div', {});
    const count = h('p', {class: 'soft', role: 'status'});
    const more = h('div', {class: 'row center'});
    let records = [], where = '', after = null, search = null, columns = null, turn = 0;
    root.append(crumbs(['Records', '#/records'], [name]),
                h('div', {class: 'page-head'}, h('h1', {}, name),
                  h('a', {class: 'button primary', href: `#/new/${encodeURIComponent(name)}`},
                    icon('plus'), 'New record')),
                searchBox, count, body, more);

    const draw = () => {
        if (!records.length && after === null) {
            body.replaceChildren(where
                ? empty('Nothing found', 'No record here is like that. Try other words, or fewer.')
                : empty('No records here', 'Everything of this collection was deleted, or nothing ' +
                                           'has been written yet.'));
        } else {
            columns = columnsOf(name, records);
            body.replaceChildren(h('div', {class: 'card flush'}, h('table', {class: 'table stack'},
                h('caption', {class: 'hidden'}, `Records of ${name}`),
                h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, 'Id'),
                                 columns.shown.map((one) => h('th', {scope: 'col',
                                     class: numeric(records, one) ? 'num' : ''}, one)))),
                h('tbody', {}, records.map((record) => rowOf(name, record, columns.shown))))));
        }
        count.textContent = `${number(records.length)}${after === null ? '' : ' or more'} ` +
                            `${records.length === 1 ? 'record' : 'records'}` +
                            (where ? ' found' : '');
        more.replaceChildren(after === null ? ''
            : button('Show more', (event) => busy(event.currentTarget, () => load(false))));
    };
    const fetchPage = (from, limit) =>
        get(recordsPath(name) + query({where, limit, after: from === null ? undefined : from}));
    const load = async (anew) => {
        const mine = ++turn;
        try {
            // A page may be empty although more follow: the node looks at so many at a time.
            let page = await fetchPage(anew ? null : after, kPage);
            let found = page.records;
            for (let i = 0; i < 20 && !found.length && page.next !== null; ++i) {
                page = await fetchPage(page.next, kPage);
                found = page.records;
            }
            if (mine !== turn) return;
            records = anew ? found : records.concat(found);
            after = page.next;
            if (search) search.error.hidden = true;
            draw();
            if (!search) {
                search = searchForm(columns ? columns.all : [], (text) => {
                    where = text;
                    load(true);
                });
                searchBox.replaceChildren(search.form);
            }
        } catch (error) {
            if (mine !== turn) return;
            if (where && error.status && error.status < 500) {
                search.error.textContent = error.message;
                search.error.hidden = false;
            } else {
                body.replaceChildren(failed(error, () => load(true)));
            }
        }
    };
    on(onRecords((list) => {
        if (list.some((one) => one.collection === name) && records.length <= kPage) load(true);
    }));
    load(true);
}

export function create(root, [, given]) {
    const name = h('input', {id: 'new-collection', required: true, value: given || '',
                             autocomplete: 'off', list: 'known', spellcheck: 'false'});
    const id = h('input', {id: 'new-id', required: true, autocomplete: 'off', spellcheck: 'false'});
    const known = h('datalist', {id: 'known'});
    const box = h('div', {});
    const error = h('p', {class: 'error', role: 'alert', hidden: true});
    let form = null;
    const rebuild = () => {
        form = fieldForm(fieldsOf(name.value.trim()), {}, {creating: true});
        box.replaceChildren(form.element);
    };
    name.addEventListener('change', rebuild);
    refreshSchema().catch(() => {}).then(rebuild);
    get('/v1/collections').then((all) => known.replaceChildren(
        ...all.map((one) => h('option', {value: one.name})))).catch(() => {});
    const save = async () => {
        error.hidden = true;
        const collectionName = name.value.trim(), key = id.value.trim();
        try {
            const answer = await call('PUT', recordPath(collectionName, key), form.fields(),
                                      {'If-None-Match': '*'});
            (answer.warnings || []).forEach((one) => toast(`${one.field}: ${one.message}`));
            toast('Created.');
            location.hash = linkOf(collectionName, key);
        } catch (problem) {
            error.textContent = problem.status === 412
                ? `There is a record “${key}” in ${collectionName} already; choose another id.`
                : problem.message;
            error.hidden = false;
            form.point(problem.field);
        }
    };
    const submit = h('button', {type: 'submit', class: 'button primary'}, 'Create record');
    root.append(crumbs(['Records', '#/records'], ...(given ? [[given, linkOf(given)]] : []),
                       ['New record']),
                h('h1', {}, 'New record'),
                h('form', {class: 'card form', onsubmit: (event) => {
                    event.preventDefault();
                    busy(submit, save);
                }},
                  h('div', {class: 'two'},
                    h('label', {class: 'field', for: 'new-collection'},
                      h('span', {class: 'label'}, 'Collection'), name,
                      h('span', {class: 'help'}, 'Such as customers; a new word makes a new ' +
                                                 'collection.'), known),
                    h('label', {class: 'field', for: 'new-id'}, h('span', {class: 'label'}, 'Id'),
                      id, h('span', {class: 'help'}, 'A number or word that stays the same for ' +
                                                     'good, such as c-17.'))),
                  box, error,
                  h('div', {class: 'row end'},
                    h('a', {class: 'button', href: given ? linkOf(given) : '#/records'}, 'Cancel'),
                    submit)));
}
