// Inputs for the fields of a record, one kind for each type of the schema. What a person changed
// becomes typed changes (a counter's difference, an added word, a piece of text), so that two who
// edit the same record at two sites do not take each other's work away.
//
// An editor is {element, ops(), plain(), input}. ops(): what to patch the field with, one value
// after another, none if nothing was changed; plain(): its value in a new record, or undefined.

import {button, h, icon} from './dom.js';
import {kTypes, valueText} from './words.js';

export function inferType(value) {
    const plain = value !== null && typeof value === 'object' && !Array.isArray(value);
    return plain ? 'map' : 'register';
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function kindOf(value) {
    if (value === null) return 'null';
    if (typeof value === 'object') return 'json';
    return {string: 'text', number: 'number', boolean: 'boolean'}[typeof value] || 'text';
}

class WrongInput extends Error {}

function parseAs(kind, text) {
    if (kind === 'text') return text;
    if (kind === 'null') return null;
    if (kind === 'boolean') return text === 'true';
    if (kind === 'number') {
        if (text.trim() === '' || !Number.isFinite(Number(text)))
            throw new WrongInput(`“${text}” is no number`);
        return Number(text);
    }
    try {
        return JSON.parse(text);
    } catch {
        throw new WrongInput('This is no complete JSON: check quotes, brackets and commas');
    }
}

function choiceInput(choices, value, id) {
    const list = choices.map((choice) => [JSON.stringify(choice), valueText(choice)]);
    const now = JSON.stringify(value);
    if (value !== undefined && !list.some(([key]) => key === now))
        list.unshift([now, valueText(value)]);
    const select = h('select', {id}, value === undefined && h('option', {value: ''}, 'not set'),
                     list.map(([key, text]) => h('option', {value: key}, text)));
    select.value = value === undefined ? '' : now;
    return {input: select, read: () => select.value === '' ? undefined : JSON.parse(select.value)};
}

function inputOf(kind, value, id, spec) {
    const text = value === undefined || value === null ? '' : value;
    if (kind === 'boolean')
        return h('select', {id, value: undefined}, h('option', {value: 'true'}, 'Yes'),
                 h('option', {value: 'false', selected: value !== true}, 'No'));
    if (kind === 'number')
        return h('input', {id, inputmode: 'decimal', value: String(text), autocomplete: 'off'});
    if (kind === 'null') return h('input', {id, disabled: true, value: 'empty'});
    if (kind === 'json')
        return h('textarea', {id, rows: 4, class: 'code', spellcheck: 'false',
                              value: value === undefined ? '' : JSON.stringify(value, null, 2)});
    if (String(text).length > 60 || String(text).includes('\n'))
        return h('textarea', {id, rows: 4, value: String(text)});
    const types = {email: 'email', e164: 'tel', 'iso-date': 'text'};
    return h('input', {id, type: types[spec.format] || 'text', value: String(text),
                       autocomplete: 'off'});
}

// One value as a whole.
function registerEditor(spec, value, id) {
    const choices = spec.enum || spec.order;
    // Of a field that keeps all values, one that stands alone is edited as itself.
    const shown = spec.policy === 'keep-all' && Array.isArray(value) && value.length === 1
        ? value[0] : value;
    if (choices && (value === undefined || typeof shown !== 'object')) {
        const choice = choiceInput(choices, shown, id);
        const now = () => choice.read();
        return {element: choice.input, input: choice.input, plain: now,
                ops: () => now() === undefined || same(now(), shown) ? [] : [now()]};
    }
    let kind = kindOf(shown);
    let input = inputOf(kind, shown, id, spec);
    let touched = false;
    const box = h('div', {class: 'with-kind'});
    const kinds = h('select', {'aria-label': `Kind of ${id.slice(2)}`, class: 'kind'},
        [['text', 'Text'], ['number', 'Number'], ['boolean', 'Yes or no'], ['null', 'Empty'],
         ['json', 'Structured']].map(([key, text]) =>
            h('option', {value: key, selected: key === kind}, text)));
    kinds.addEventListener('change', () => {
        touched = true;
        kind = kinds.value;
        const before = input.value;
        const fresh = inputOf(kind, kind === 'text' || kind === 'number' ? before : undefined, id,
                              spec);
        input.replaceWith(fresh);
        input = fresh;
    });
    // What kind of value it is shows by itself, but for one that is not there yet.
    box.append(input, ...(shown === undefined || shown === null ? [kinds] : []));
    const now = () => {
        if (shown === undefined && !touched && input.value === '') return undefined;
        return parseAs(kind, input.value);
    };
    const op = (read) => read === null ? {$null: true} : read;
    return {element: box, get input() { return input; }, plain: now, ops: () => {
        const read = now();
        return read === undefined || same(read, shown) ? [] : [op(read)];
    }};
}

function counterEditor(spec, value, id, {creating}) {
    const start = Number.isInteger(value) ? value : 0;
    const input = h('input', {id, inputmode: 'numeric', value: creating ? '' : '0',
                              autocomplete: 'off', class: 'short'});
    const result = h('span', {class: 'soft', role: 'status'});
    const read = () => {
        const text = input.value.trim();
        if (text === '') return 0;
        if (!/^[+-]?\d+$/.test(text)) throw new WrongInput(`“${text}” is no whole number`);
        return Number(text);
    };
    const tell = () => {
        try {
            result.textContent = read() && !creating ? `${start} becomes ${start + read()}` : '';
        } catch {
            result.textContent = '';
        }
    };
    input.addEventListener('input', tell);
    const step = (by) => () => {
        try {
            input.value = String(read() + by);
            tell();
        } catch {
            input.value = '0';
        }
    };
    const element = creating ? input : h('div', {class: 'counter'},
        h('span', {class: 'counter-now'}, `Now ${start}. Change by`),
        h('div', {class: 'row tight'}, button('−', step(-1), 'small', {'aria-label': 'One less'}),
          input, button('+', step(1), 'small', {'aria-label': 'One more'})), result);
    return {element, input, plain: () => input.value.trim() === '' ? undefined : read(),
            ops: () => read() === 0 ? [] : [{$inc: read()}]};
}

function flagEditor(spec, value, id) {
    const input = h('input', {id, type: 'checkbox', class: 'switch', checked: value === true});
    return {element: h('span', {class: 'row tight'}, input, h('span', {}, 'Yes')), input,
            plain: () => input.checked || undefined,
            ops: () => input.checked === (value === true) ? [] : [{$enable: input.checked}]};
}

function setEditor(spec, value, id) {
    const before = Array.isArray(value) ? value : [];
    let now = [...before];
    const chips = h('ul', {class: 'chips'});
    const input = h('input', {id, autocomplete: 'off', placeholder: 'Add a word'});
    const draw = () => chips.replaceChildren(...now.map((one) => h('li', {class: 'chip'},
        valueText(one, 40), h('button', {type: 'button', class: 'plain',
                                         'aria-label': `Remove ${valueText(one, 40)}`,
                                         onclick: () => {
            now = now.filter((other) => other !== one);
            draw();
            input.focus();
        }}, icon('close', 14)))));
    const add = () => {
        const text = input.value.trim();
        if (text && !now.includes(text)) now.push(text);
        input.value = '';
        draw();
    };
    input.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        add();
    });
    draw();
    return {element: h('div', {}, chips, h('div', {class: 'row tight'}, input,
                                           button('Add', add, 'small'))), input,
            plain: () => {
                add();
                return now.length ? now : undefined;
            },
            ops: () => {
                add();
                const $add = now.filter((one) => !before.some((other) => same(one, other)));
                const $remove = before.filter((one) => !now.some((other) => same(one, other)));
                return $add.length || $remove.length
                    ? [{...($add.length && {$add}), ...($remove.length && {$remove})}] : [];
            }};
}

// The piece in the middle that differs, in code points.
export function splice(before, now) {
    const from = [...before], to = [...now];
    let head = 0;
    while (head < from.length && head < to.length && from[head] === to[head]) ++head;
    let tail = 0;
    while (tail < from.length - head && tail < to.length - head &&
           from[from.length - 1 - tail] === to[to.length - 1 - tail]) ++tail;
    return {at: head, delete: from.length - head - tail,
            insert: to.slice(head, to.length - tail).join('')};
}

function textEditor(spec, value, id) {
    const before = typeof value === 'string' ? value : '';
    const input = h('textarea', {id, rows: 5, value: before});
    return {element: input, input, plain: () => input.value || undefined,
            ops: () => input.value === before ? []
                : value === undefined ? [input.value]
                : [{$splice: splice(before, input.value)}]};
}

// What turns the old order of a list's elements into the new one. items: {element, value}, new ones
// without an element.
export function listOps(before, items) {
    const ops = [];
    const kept = items.filter((item) => item.element);
    for (const old of before)
        if (!kept.some((item) => item.element === old.element)) ops.push({$remove: old.element});
    for (const item of kept) {
        const old = before.find((one) => one.element === item.element);
        if (!same(old.value, item.value))
            ops.push({$set: {element: item.element, value: item.value}});
    }
    let order = before.map((old) => old.element)
        .filter((element) => kept.some((item) => item.element === element));
    kept.forEach(({element}, place) => {
        if (order[place] === element) return;
        const after = place ? kept[place - 1].element : null;
        ops.push({$move: {element, after}});
        order = order.filter((one) => one !== element);
        order.splice(place, 0, element);
    });
    // New ones in a row go behind the same element, so the last of them first.
    for (let i = items.length - 1; i >= 0; --i) {
        if (items[i].element) continue;
        const behind = items.slice(0, i).filter((item) => item.element).pop();
        ops.push({$insert: {after: behind ? behind.element : null, value: items[i].value}});
    }
    return ops;
}

function listEditor(spec, value, id) {
    const before = (Array.isArray(value) ? value : []).map((one) =>
        one && typeof one === 'object' && 'element' in one ? one : {element: null, value: one});
    let rows = before.map((one) => ({...one}));
    const box = h('ol', {class: 'list-editor'});
    const move = (row, by) => () => {
        const at = rows.indexOf(row), to = at + by;
        if (to < 0 || to >= rows.length) return;
        rows.splice(at, 1);
        rows.splice(to, 0, row);
        draw();
    };
    const draw = () => box.replaceChildren(...rows.map((row, i) => {
        const kind = kindOf(row.value);
        const input = inputOf(kind, row.value, i === 0 ? id : `${id}-${i}`, spec);
        input.setAttribute('aria-label', `Entry ${i + 1}`);
        input.addEventListener('input', () => {
            try {
                row.value = parseAs(kind, input.value);
                input.removeAttribute('aria-invalid');
                row.wrong = '';
            } catch (error) {
                input.setAttribute('aria-invalid', 'true');
                row.wrong = error.message;
            }
        });
        return h('li', {class: 'row tight'}, input,
                 button(icon('up', 16), move(row, -1), 'small', {'aria-label': 'Move up'}),
                 button(icon('down', 16), move(row, 1), 'small', {'aria-label': 'Move down'}),
                 button(icon('close', 16), () => {
                     rows = rows.filter((other) => other !== row);
                     draw();
                 }, 'small', {'aria-label': `Remove entry ${i + 1}`}));
    }));
    const add = button('Add an entry', () => {
        const last = rows[rows.length - 1];
        const shape = last && kindOf(last.value);
        rows.push({element: null, value: shape === 'number' ? 0 : shape === 'json' ? {} : ''});
        draw();
        box.querySelector('li:last-child input, li:last-child textarea')?.focus();
    }, 'small');
    const checked = () => {
        const wrong = rows.find((row) => row.wrong);
        if (wrong) throw new WrongInput(wrong.wrong);
        return rows;
    };
    draw();
    return {element: h('div', {}, box, add), input: add,
            plain: () => rows.length ? checked().map((row) => row.value) : undefined,
            ops: () => listOps(before, checked())};
}

function mapEditor(spec, value, id, how) {
    const form = fieldForm({}, value || {}, {...how, prefix: `${id}.`, small: true});
    return {element: h('fieldset', {class: 'group'}, h('legend', {class: 'hidden'}, id.slice(2)),
                       form.element),
            input: form.element.querySelector('input, select, textarea'),
            plain: () => {
                const fields = form.fields();
                return Object.keys(fields).length ? fields : undefined;
            },
            ops: () => form.patches()};
}

const kEditors = {register: registerEditor, counter: counterEditor, 'bounded-counter': counterEditor,
                  flag: flagEditor, set: setEditor, text: textEditor, list: listEditor,
                  map: mapEditor};

function fieldRow(name, spec, value, how) {
    const id = `${how.prefix || 'f.'}${name}`;
    const type = spec.type && kEditors[spec.type] ? spec.type : inferType(value);
    const editor = kEditors[type](spec, value, id, how);
    const error = h('p', {class: 'error', role: 'alert', hidden: true});
    let gone = false;
    const hints = [kTypes[spec.type], spec.required && 'needed',
                   spec.max !== undefined && `at most ${spec.max}`, spec.format]
        .filter(Boolean).join(' · ');
    const label = h('label', {class: 'label', for: id}, name,
                    spec.required && h('span', {class: 'needed'}, ' *'));
    const holder = h('div', {class: 'field-input'}, editor.element);
    const remove = !how.creating && value !== undefined && !spec.required
        ? button('Clear', () => {
            gone = !gone;
            holder.hidden = gone;
            remove.textContent = gone ? 'Keep it' : 'Clear';
            state.textContent = gone ? 'Will be cleared when you save' : '';
        }, 'quiet small', {'aria-label': `Clear ${name}`}) : null;
    const state = h('p', {class: 'soft', role: 'status'});
    const element = h('div', {class: 'field'}, h('div', {class: 'field-head'}, label,
                      h('span', {class: 'hint'}, hints), remove), holder, state, error);
    const guarded = (read) => {
        error.hidden = true;
        try {
            return read();
        } catch (problem) {
            if (!(problem instanceof WrongInput)) throw problem;
            error.textContent = problem.message;
            error.hidden = false;
            if (editor.input) editor.input.focus();
            throw new Error(`${name}: ${problem.message}`);
        }
    };
    return {name, element, error, editor, ops: () => gone ? [null] : guarded(() => editor.ops()),
            plain: () => guarded(() => editor.plain())};
}

// All fields of a record: those of the schema, those that it has, and new ones.
export function fieldForm(specs, fields, how = {}) {
    const rows = [];
    const list = h('div', {class: how.small ? 'fields small' : 'fields'});
    const append = (name, spec, value) => {
        const row = fieldRow(name, spec, value, how);
        rows.push(row);
        list.append(row.element);
        return row;
    };
    for (const name of new Set([...Object.keys(specs), ...Object.keys(fields)]))
        append(name, specs[name] || {}, fields[name]);
    const adding = h('input', {'aria-label': 'Name of the new field', placeholder: 'New field',
                               autocomplete: 'off', class: 'short'});
    const add = () => {
        const name = adding.value.trim();
        if (!name || rows.some((row) => row.name === name)) return adding.focus();
        adding.value = '';
        const row = append(name, {}, undefined);
        if (row.editor.input) row.editor.input.focus();
    };
    adding.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        add();
    });
    const element = h('div', {}, list, h('div', {class: 'row tight add-field'}, adding,
                                         button('Add field', add, 'small')));
    // The k-th patch holds each field's k-th change: a field takes one change at a time.
    const patches = () => {
        const all = rows.map((row) => [row.name, row.ops()]);
        const longest = Math.max(0, ...all.map(([, ops]) => ops.length));
        return Array.from({length: longest}, (_, k) => Object.fromEntries(
            all.filter(([, ops]) => k < ops.length).map(([name, ops]) => [name, ops[k]])));
    };
    const newFields = () => Object.fromEntries(
        rows.map((row) => [row.name, row.plain()]).filter(([, value]) => value !== undefined));
    const point = (field) => {
        const name = (field || '').replace(/^ops\[\d+\]\.(fields\.)?/, '').split('.')[0];
        const row = rows.find((one) => one.name === name);
        if (row && row.editor.input) row.editor.input.focus();
    };
    return {element, patches, fields: newFields, point};
}
